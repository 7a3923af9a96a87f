-- grain: generation. What the figures of this generation stand on.
CREATE VIEW coverage AS
SELECT
    (SELECT count(*) FROM document) AS n_documents,
    (SELECT count(*) FROM document WHERE is_covered) AS n_covered,
    (SELECT count(*) FROM document WHERE NOT is_analysed) AS n_not_analysed,
    (SELECT count(*) FROM document WHERE is_analysed AND NOT is_counted) AS n_not_counted,
    (SELECT count(*) FROM document WHERE is_analysed AND is_counted AND NOT is_covered) AS n_waiting_to_be_read,
    (SELECT count(*) FROM opinion) AS n_opinions,
    (SELECT count(*) FROM theme WHERE is_shown AND level = 'theme') AS n_themes,
    (SELECT count(*) FROM theme WHERE NOT is_shown AND status = 'active' AND level = 'theme') AS n_themes_held_back,
    (SELECT count(*) FROM decision) AS n_decisions;
