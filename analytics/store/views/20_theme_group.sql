-- grain: group of themes. Groups behind which enough authors stand, with how many shown themes they hold.
CREATE VIEW theme_group AS
SELECT
    g.theme_id,
    g.name,
    g.keywords,
    g.is_own,
    g.n_opinions,
    g.n_documents,
    g.n_authors,
    g.negative_share,
    g.positive_share,
    (SELECT count(*) FROM theme AS t WHERE t.parent_id = g.theme_id AND t.is_shown) AS n_themes
FROM theme AS g
WHERE g.is_shown AND g.level = 'group'
ORDER BY g.n_documents DESC, g.theme_id;
