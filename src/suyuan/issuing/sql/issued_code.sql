SELECT c.ordinal, b.batch_id, b.gtin, b.lot, b.count, b.epoch, b.label, b.issued_by, b.issued_at, b.scratch_key,
       b.pattern_key
FROM code AS c
JOIN code_batch AS b ON b.batch_id = c.batch_id
WHERE c.gtin = $1 AND c.serial = $2
