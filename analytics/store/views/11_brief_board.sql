-- grain: brief × sentence. What is told of a theme, an item or the night, with the name of what it is about.
CREATE VIEW brief_board AS
SELECT
    b.subject_kind,
    b.subject_id,
    CASE b.subject_kind
        WHEN 'theme' THEN t.name
        WHEN 'item' THEN coalesce(i.title, b.subject_id)
        ELSE 'the night'
    END AS subject,
    b.nth,
    b.voice,
    b.origin,
    b.text,
    b.support,
    b.n_citations,
    b.made_on,
    b.brief_id
FROM brief AS b
LEFT JOIN theme AS t ON b.subject_kind = 'theme' AND t.theme_id = b.subject_id
LEFT JOIN item AS i ON b.subject_kind = 'item' AND i.item_id = b.subject_id
ORDER BY b.subject_kind DESC, b.subject_id, b.nth;
