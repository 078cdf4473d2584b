-- Batch and acts of serials; a serial that was never issued has no row.
SELECT c.serial, b.batch_id, b.lot, b.issued_by, b.issued_at,
       COALESCE(array_agg(s.act ORDER BY s.act) FILTER (WHERE s.act IS NOT NULL), '{}') AS acts
FROM unnest($2::text[]) AS wanted (serial)
JOIN code AS c ON c.gtin = $1 AND c.serial = wanted.serial
JOIN code_batch AS b ON b.batch_id = c.batch_id
LEFT JOIN code_state AS s ON s.gtin = c.gtin AND s.serial = c.serial
GROUP BY c.serial, b.batch_id
