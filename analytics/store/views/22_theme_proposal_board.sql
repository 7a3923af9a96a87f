-- grain: proposal. Changes of shown themes that wait for a person's word.
CREATE VIEW theme_proposal_board AS
SELECT
    p.proposal_id,
    p.kind,
    p.theme_id,
    t.name,
    p.other_id,
    o.name AS other_name,
    p.evidence,
    p.sentence
FROM theme_proposal AS p
JOIN theme AS t ON t.theme_id = p.theme_id AND t.is_shown
LEFT JOIN theme AS o ON o.theme_id = p.other_id
WHERE p.other_id IS NULL OR o.is_shown
ORDER BY p.kind, p.proposal_id;
