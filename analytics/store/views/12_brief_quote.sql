-- grain: brief × sentence × citation. The words that a sentence of a brief rests on, each with its document.
CREATE VIEW brief_quote AS
SELECT
    b.subject_kind,
    b.subject_id,
    c.nth,
    c.rank,
    o.quote,
    o."start",
    o."end",
    d.source,
    d.source_id,
    d.url,
    d.question,
    d.day,
    d.rating,
    d.item_id,
    i.title AS item_title,
    d.text
FROM brief_citation AS c
JOIN brief AS b ON b.brief_id = c.brief_id AND b.nth = c.nth
JOIN opinion AS o ON o.opinion_id = c.opinion_id
JOIN document AS d ON d.document_id = o.document_id
LEFT JOIN item AS i ON i.item_id = d.item_id
WHERE d.may_quote
ORDER BY b.subject_kind, b.subject_id, c.nth, c.rank;
