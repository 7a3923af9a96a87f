-- grain: theme. Its share of the last 13 weeks, corrected by people's labels where there are any.
CREATE VIEW theme_share AS
SELECT
    t.theme_id,
    t.name,
    s.window_start,
    s.window_end,
    s.n_labels,
    s.n_covered,
    s.n_authors,
    s.share_raw,
    s.share,
    s.share_low,
    s.share_high,
    s.correction,
    s.right_share,
    s.found_share
FROM share AS s
JOIN theme AS t USING (theme_id)
WHERE t.is_shown
ORDER BY s.share DESC, t.theme_id;
