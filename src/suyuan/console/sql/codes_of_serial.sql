-- Codes issued here with this serial, under any of these GTINs.
SELECT c.gtin, c.serial, b.lot, b.batch_id
FROM code AS c
JOIN code_batch AS b ON b.batch_id = c.batch_id
WHERE c.gtin = ANY ($1::text[]) AND c.serial = $2
ORDER BY c.gtin
LIMIT 20
