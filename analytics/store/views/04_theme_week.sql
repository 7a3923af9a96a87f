-- grain: theme × segment × week. Weekly shares; a cell with too few authors shows no figure.
CREATE VIEW theme_week AS
SELECT
    w.theme_id,
    t.name,
    w.segment_name,
    w.segment_value,
    w.window_start,
    w.window_end,
    w.n_covered,
    CASE WHEN w.is_shown THEN w.n_documents END AS n_documents,
    CASE WHEN w.is_shown THEN w.share END AS share,
    CASE WHEN w.is_shown THEN w.share_low END AS share_low,
    CASE WHEN w.is_shown THEN w.share_high END AS share_high
FROM trend AS w
JOIN theme AS t USING (theme_id)
WHERE t.is_shown
ORDER BY t.name, w.segment_name, w.segment_value, w.window_start;
