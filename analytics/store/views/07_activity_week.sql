-- grain: week. The 13 weeks that end with the night: documents written in them, covered ones and opinions.
CREATE VIEW activity_week AS
WITH week AS (
    SELECT n.as_of - (7 * w.back + 6)::INTEGER AS week_start, n.as_of - (7 * w.back)::INTEGER AS week_end
    FROM (SELECT max(as_of) AS as_of FROM run) AS n
    CROSS JOIN (SELECT unnest(range(13)) AS back) AS w
),
statement AS (
    SELECT document_id, count(*) AS n_opinions FROM opinion GROUP BY document_id
)
SELECT
    w.week_start,
    w.week_end,
    count(d.document_id) AS n_documents,
    count(d.document_id) FILTER (d.is_covered) AS n_covered,
    coalesce(sum(s.n_opinions), 0)::BIGINT AS n_opinions
FROM week AS w
LEFT JOIN document AS d ON d.day BETWEEN w.week_start AND w.week_end
LEFT JOIN statement AS s USING (document_id)
GROUP BY w.week_start, w.week_end
ORDER BY w.week_start;
