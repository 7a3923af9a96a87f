-- grain: event. What became of themes, when and why.
CREATE VIEW theme_history AS
SELECT
    e.event_id,
    e.as_of,
    e.kind,
    e.theme_id,
    CASE WHEN t.n_authors = 0 OR t.is_shown OR t.is_own THEN t.name END AS name,
    t.level,
    e.cause,
    e.who,
    coalesce(CASE WHEN other.is_shown THEN other.name END, CASE WHEN e.kind = 'renamed' THEN e.about END) AS about,
    e.agreed_share
FROM theme_event AS e
LEFT JOIN theme AS t ON t.theme_id = e.theme_id
LEFT JOIN theme AS other ON other.theme_id = e.about
ORDER BY e.as_of, e.theme_id, e.kind, e.event_id;
