-- Rows that must not be imported, each with its first fault: a code that stands twice, a code that names another item
-- already, an item whose code is voided, an item that is not the party's to name.
WITH said AS (
    -- What standing aliases say of these codes.
    SELECT r.line, other.key AS item_key
    FROM alias_row AS r
    JOIN thing_event AS i ON i.key = r.code_key AND i.role = 1
    JOIN event AS e ON e.event_key = i.event_key AND e.biz_step = 'urn:suyuan:bizstep:aliasing' AND e.declaration = ''::bytea
    JOIN thing_event AS other ON other.event_key = e.event_key AND other.role = 1 AND other.key <> r.code_key
        AND other.record_month = i.record_month
    WHERE NOT EXISTS (
        SELECT FROM event AS w
        WHERE w.event_id_key = e.event_id_key AND w.party_id = e.party_id AND w.declaration <> ''::bytea
    )
), firsts AS (
    SELECT DISTINCT ON (i.key) i.key, e.party_id
    FROM (SELECT item_key AS key FROM alias_row UNION SELECT code_key FROM alias_row) AS n
    JOIN thing_event AS i ON i.key = n.key AND i.role IN (1, 5)
    JOIN event AS e ON e.event_key = i.event_key
    WHERE e.declaration = ''::bytea AND e.biz_step = 'https://ref.gs1.org/cbv/BizStep-commissioning'
    ORDER BY i.key, e.event_time, e.content_hash
), judged AS (
    SELECT r.line, r.code, r.item,
           CASE
               WHEN r.code_key IN (SELECT code_key FROM alias_row GROUP BY code_key HAVING count(*) > 1) THEN 'twice'
               WHEN r.line IN (SELECT s.line FROM said AS s WHERE s.item_key <> r.item_key) THEN 'taken'
               WHEN b.batch_id IS NULL AND NOT EXISTS (SELECT FROM thing AS t WHERE t.key = r.item_key) THEN 'unknown'
               WHEN EXISTS (
                   SELECT FROM code_state AS s WHERE s.gtin = r.gtin AND s.serial = r.serial AND s.act = 'voided'
               ) THEN 'voided'
               WHEN b.issued_by = $1 THEN ''
               WHEN EXISTS (
                   SELECT FROM firsts AS f
                   WHERE f.party_id = $1 AND (f.key = r.code_key OR (f.key = r.item_key AND b.batch_id IS NULL))
               ) THEN ''
               ELSE 'not_yours'
           END AS fault
    FROM alias_row AS r
    LEFT JOIN code AS c ON c.gtin = r.gtin AND c.serial = r.serial
    LEFT JOIN code_batch AS b ON b.batch_id = c.batch_id
)
SELECT line, code, item, fault, count(*) OVER () AS faults
FROM judged
WHERE fault <> ''
ORDER BY line
LIMIT $2
