-- grain: theme × segment × source × window. What a theme is in a filter; a cell that may not be shown has no figure.
CREATE VIEW theme_cell AS
SELECT
    w.theme_id,
    t.name,
    w.segment_name,
    w.segment_value,
    w.source,
    w.window_start,
    w.window_end,
    (w.window_end - w.window_start + 1) // 7 AS n_weeks,
    w.is_shown,
    CASE WHEN w.is_shown THEN w.n_covered END AS n_covered,
    CASE WHEN w.is_shown THEN w.n_documents END AS n_documents,
    CASE WHEN w.is_shown THEN w.share END AS share,
    CASE WHEN w.is_shown THEN w.share_low END AS share_low,
    CASE WHEN w.is_shown THEN w.share_high END AS share_high,
    CASE WHEN w.is_shown THEN w.corrected_share END AS corrected_share,
    CASE WHEN w.is_shown THEN w.corrected_low END AS corrected_low,
    CASE WHEN w.is_shown THEN w.corrected_high END AS corrected_high,
    w.correction
FROM trend AS w
JOIN theme AS t USING (theme_id)
WHERE t.is_shown
ORDER BY t.name, w.segment_name, w.segment_value, w.source, n_weeks, w.window_start;
