INSERT INTO code_batch (gtin, lot, count, epoch, label, issued_by, scratch_key, pattern_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING batch_id, gtin, lot, count, epoch, label, issued_by, issued_at, scratch_key, pattern_key
