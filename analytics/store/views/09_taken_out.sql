-- grain: source × edit × kind. What was taken out of texts before anything read them.
CREATE VIEW taken_out AS
SELECT d.source, e.edit, e.kind, count(*) AS n_documents, sum(e.n)::BIGINT AS n
FROM document_edit AS e
JOIN document AS d USING (document_id)
GROUP BY ALL
ORDER BY d.source, e.edit, n_documents DESC, e.kind;
