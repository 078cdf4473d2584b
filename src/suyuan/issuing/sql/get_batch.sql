SELECT batch_id, gtin, lot, count, epoch, label, issued_by, issued_at, scratch_key, pattern_key
FROM code_batch
WHERE batch_id = $1
