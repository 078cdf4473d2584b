SELECT c.ordinal, c.serial
FROM code AS c
WHERE c.batch_id = $1 AND c.ordinal > $2
  AND NOT EXISTS (SELECT FROM code_state AS s WHERE s.gtin = c.gtin AND s.serial = c.serial)
ORDER BY c.ordinal
LIMIT 1
