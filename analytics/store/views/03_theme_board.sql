-- grain: theme. Themes behind which enough authors stand, with their last week and the week before.
CREATE VIEW theme_board AS
SELECT
    t.theme_id,
    t.name,
    t.name_origin,
    t.keywords,
    t.status,
    t.born_on,
    t.n_opinions,
    t.n_documents,
    t.n_authors,
    t.negative_share,
    t.positive_share,
    w.window_start,
    w.window_end,
    CASE WHEN w.is_shown THEN w.share END AS share,
    CASE WHEN w.is_shown THEN w.share_low END AS share_low,
    CASE WHEN w.is_shown THEN w.share_high END AS share_high,
    CASE WHEN d.may_quote AND d.is_covered THEN o.quote END AS typical_quote
FROM theme AS t
LEFT JOIN opinion AS o ON o.opinion_id = t.typical_opinion_id
LEFT JOIN document AS d ON d.document_id = o.document_id
LEFT JOIN trend AS w
    ON w.theme_id = t.theme_id
    AND w.segment_name = 'all'
    AND w.source = 'all'
    AND w.window_end = (SELECT max(window_end) FROM trend)
    AND w.window_start = w.window_end - 6
WHERE t.is_shown AND t.level = 'theme'
ORDER BY t.n_documents DESC, t.theme_id;
