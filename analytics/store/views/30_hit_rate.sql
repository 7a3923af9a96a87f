-- grain: kind of decision, and all. Of the decisions that were done and can be judged, how many worked, with a
-- Wilson interval at 95 %.
CREATE VIEW hit_rate AS
WITH judged AS (
    SELECT
        coalesce(kind, 'all') AS kind,
        count(*) AS n_judged,
        count(*) FILTER (WHERE verdict = 'worked') AS n_worked,
        n_worked / nullif(n_judged, 0) AS share,
        1.959964 AS z
    FROM verdict
    WHERE verdict <> 'too early'
    GROUP BY GROUPING SETS ((), (kind))
)
SELECT
    kind,
    n_judged,
    n_worked,
    share AS worked_share,
    (share + z * z / (2 * n_judged) - z * sqrt(share * (1 - share) / n_judged + z * z / (4 * n_judged * n_judged)))
        / (1 + z * z / n_judged) AS worked_share_low,
    (share + z * z / (2 * n_judged) + z * sqrt(share * (1 - share) / n_judged + z * z / (4 * n_judged * n_judged)))
        / (1 + z * z / n_judged) AS worked_share_high
FROM judged
ORDER BY kind = 'all' DESC, kind;
