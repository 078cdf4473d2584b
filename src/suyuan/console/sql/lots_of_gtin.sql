-- Lots of a GTIN under which codes were issued, the newest first.
SELECT lot, sum(count)::bigint AS codes, max(issued_at) AS issued_at
FROM code_batch
WHERE gtin = $1
GROUP BY lot
ORDER BY max(issued_at) DESC, lot
LIMIT $2 OFFSET $3
