SELECT c.ordinal, c.serial
FROM code AS c
JOIN code_state AS s ON s.gtin = c.gtin AND s.serial = c.serial AND s.act = 'voided'
WHERE c.batch_id = $1 AND c.ordinal BETWEEN $2 AND $3
ORDER BY c.ordinal
LIMIT 1
