SELECT batch_id, gtin, lot, count, epoch, label, issued_by, issued_at, scratch_key, pattern_key
FROM code_batch
WHERE gtin = $1 AND ($2 = '' OR lot = $2)
ORDER BY batch_id
LIMIT 1000
