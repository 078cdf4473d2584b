-- Lots of this number under which codes were issued, with how many.
SELECT gtin, lot, sum(count)::bigint AS codes
FROM code_batch
WHERE gtin = ANY ($1::text[]) AND lot = $2
GROUP BY gtin, lot
ORDER BY gtin
LIMIT 20
