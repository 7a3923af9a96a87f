-- grain: decision. The decisions of the night in their order, with the names of their themes.
CREATE VIEW decision_board AS
SELECT
    d.*,
    t.name,
    t.keywords,
    t.n_opinions AS theme_n_opinions,
    t.born_on
FROM decision AS d
JOIN theme AS t USING (theme_id)
ORDER BY d.rank;
