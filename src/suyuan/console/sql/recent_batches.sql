-- Batches of codes, the newest first: of these GTINs, of one issuer, or of all where $3.
SELECT batch_id, gtin, lot, count, label, issued_at
FROM code_batch
WHERE $3 OR issued_by = $2 OR gtin = ANY ($1::text[])
ORDER BY batch_id DESC
LIMIT $4
