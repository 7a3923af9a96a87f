-- grain: reason. Documents that no figure counts, by why.
CREATE VIEW not_read AS
SELECT
    coalesce(
        not_analysed_reason,
        not_counted_reason,
        CASE WHEN NOT is_covered THEN 'waits for a later night' END
    ) AS reason,
    count(*) AS n_documents,
    count(*) / (SELECT count(*) FROM document) AS share
FROM document
WHERE NOT is_covered
GROUP BY ALL
ORDER BY n_documents DESC, reason;
