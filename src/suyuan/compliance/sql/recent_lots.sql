-- Lots under which codes were issued, the newest first, each with one of its codes; $2 and $3 ask for one lot alone.
SELECT b.gtin, b.lot, max(b.batch_id) AS batch_id, max(b.issued_at) AS issued_at,
       (SELECT c.serial FROM code AS c WHERE c.batch_id = max(b.batch_id) ORDER BY c.ordinal LIMIT 1) AS serial
FROM (
    SELECT * FROM code_batch
    WHERE ($2 = '' OR (gtin = $2 AND lot = $3))
    ORDER BY batch_id DESC
    LIMIT 1000
) AS b
GROUP BY b.gtin, b.lot
ORDER BY max(b.batch_id) DESC
LIMIT $1
