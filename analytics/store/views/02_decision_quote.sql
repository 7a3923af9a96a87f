-- grain: decision × quote. The words behind a decision, each with the document it was cut from; of a source that
-- does not grant quoting, only that there is one and where its record is.
CREATE VIEW decision_quote AS
SELECT
    e.decision_id,
    e.rank,
    e.voice,
    o.opinion_id,
    d.may_quote,
    CASE WHEN d.may_quote THEN o.quote END AS quote,
    o.sentiment,
    o.sentiment_label,
    o."start",
    o."end",
    d.document_id,
    d.source,
    d.source_id,
    d.url,
    d.question,
    d.day,
    d.rating,
    d.rating_share,
    d.item_id,
    i.title AS item_title,
    CASE WHEN d.may_quote THEN d.text END AS text
FROM decision_evidence AS e
JOIN opinion AS o USING (opinion_id)
JOIN document AS d ON d.document_id = o.document_id
LEFT JOIN item AS i ON i.item_id = d.item_id
ORDER BY e.decision_id, e.rank;
