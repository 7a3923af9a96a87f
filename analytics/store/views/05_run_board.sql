-- grain: run. The runs that led to this generation, each with what it brought that still stands.
CREATE VIEW run_board AS
SELECT
    r.*,
    (SELECT count(*) FROM document AS d WHERE d.first_seen_run = r.run_id AND d.is_covered) AS n_new_covered,
    (
        SELECT count(*)
        FROM opinion AS o
        JOIN document AS d USING (document_id)
        WHERE d.first_seen_run = r.run_id
    ) AS n_new_opinions,
    (
        SELECT count(*)
        FROM theme AS t
        WHERE t.born_run = r.run_id AND t.is_shown AND t.level = 'theme'
    ) AS n_new_themes
FROM run AS r
ORDER BY r.as_of, r.nth;
