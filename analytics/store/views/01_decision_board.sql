-- grain: decision. The decisions of the night in their order, with the names of their themes and items.
CREATE VIEW decision_board AS
SELECT
    d.*,
    t.name,
    t.keywords,
    t.n_opinions AS theme_n_opinions,
    t.born_on,
    coalesce(i.title, d.item_id) AS item
FROM decision AS d
JOIN theme AS t USING (theme_id)
LEFT JOIN item AS i ON i.item_id = d.item_id
ORDER BY d.rank;
