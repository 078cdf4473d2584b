SELECT b.scratch_key <> ''
FROM code AS c
JOIN code_batch AS b ON b.batch_id = c.batch_id
WHERE c.gtin = $1 AND c.serial = $2
