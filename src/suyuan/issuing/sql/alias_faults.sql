-- Rows that must not be imported, each with its first fault: a code that stands twice, a code that names another item
-- already, an item of which nothing is known, one whose code is voided, one that is not the party's to name.
WITH named AS MATERIALIZED (
    SELECT r.line, r.code, r.code_key, r.item_key, r.taken, b.batch_id, b.issued_by,
           count(*) OVER (PARTITION BY r.code_key) AS rows_of_code,
           s.act_id AS voided_by
    FROM alias_row AS r
    LEFT JOIN code AS c ON c.gtin = r.gtin AND c.serial = r.serial
    LEFT JOIN code_batch AS b ON b.batch_id = c.batch_id
    LEFT JOIN code_state AS s ON s.gtin = r.gtin AND s.serial = r.serial AND s.act = 'voided'
), foreign_keys AS MATERIALIZED (
    -- Who commissioned first matters only where the party did not issue the item's code.
    SELECT code_key AS key FROM named WHERE issued_by IS DISTINCT FROM $1
    UNION
    SELECT item_key FROM named WHERE issued_by IS NULL
), firsts AS MATERIALIZED (
    SELECT DISTINCT ON (i.key) i.key, e.party_id
    FROM foreign_keys AS n
    JOIN thing AS t ON t.key = n.key
    JOIN thing_event AS i ON i.key = t.key AND i.role IN (1, 5)
    JOIN event AS e ON e.event_key = i.event_key
    WHERE e.declaration = ''::bytea AND e.biz_step = 'https://ref.gs1.org/cbv/BizStep-commissioning'
    ORDER BY i.key, e.event_time, e.content_hash
), judged AS (
    SELECT n.line, n.code,
           CASE
               WHEN n.rows_of_code > 1 THEN 'twice'
               WHEN n.taken THEN 'taken'
               WHEN n.batch_id IS NULL AND k.key IS NULL THEN 'unknown'
               WHEN n.voided_by IS NOT NULL THEN 'voided'
               WHEN n.issued_by = $1 OR of_code.party_id = $1 THEN ''
               WHEN n.batch_id IS NULL AND of_item.party_id = $1 THEN ''
               ELSE 'not_yours'
           END AS fault
    FROM named AS n
    LEFT JOIN thing AS k ON k.key = n.item_key
    LEFT JOIN firsts AS of_code ON of_code.key = n.code_key
    LEFT JOIN firsts AS of_item ON of_item.key = n.item_key
)
SELECT line, code, fault, count(*) OVER () AS faults
FROM judged
WHERE fault <> ''
ORDER BY line
LIMIT $2
