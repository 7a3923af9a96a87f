-- grain: opinion × theme. The statements under a shown theme that may be quoted, with what a filter asks of their
-- documents; a filtered reader shows one only under a shown cell of theme_cell.
CREATE VIEW theme_quote AS
SELECT
    ot.theme_id,
    ot.opinion_id,
    ot.similarity,
    o.quote,
    d.document_id,
    d.source,
    d.day,
    d.segments
FROM opinion_theme AS ot
JOIN theme AS t USING (theme_id)
JOIN opinion AS o USING (opinion_id)
JOIN document AS d USING (document_id)
WHERE t.is_shown AND d.may_quote AND d.is_covered
ORDER BY ot.theme_id, ot.similarity DESC, ot.opinion_id;
