-- grain: one row. Statements that are under no theme: how many, and which share of all.
CREATE VIEW not_yet_a_theme AS
WITH waiting AS (
    SELECT o.opinion_id, o.document_id FROM opinion AS o
    WHERE NOT EXISTS (SELECT 1 FROM opinion_theme AS ot WHERE ot.opinion_id = o.opinion_id)
),
counted AS (
    SELECT
        count(*) AS n_opinions,
        count(DISTINCT w.document_id) AS n_documents,
        count(DISTINCT coalesce(d.author, -1)) AS n_authors
    FROM waiting AS w
    JOIN document AS d USING (document_id)
)
SELECT
    n_opinions,
    n_documents,
    n_authors,
    n_opinions / nullif((SELECT count(*) FROM opinion), 0) AS share
FROM counted
WHERE n_opinions = 0 OR n_authors >= (SELECT min_authors FROM run ORDER BY as_of DESC, nth DESC LIMIT 1);
