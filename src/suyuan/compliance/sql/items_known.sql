-- Lot of each serial that was issued here, and under which ledger item and where it was activated.
SELECT c.serial, b.lot, a.ledger_item, a.facility, s.act IS NOT NULL AS active
FROM unnest($2::text[]) AS wanted (serial)
JOIN code AS c ON c.gtin = $1 AND c.serial = wanted.serial
JOIN code_batch AS b ON b.batch_id = c.batch_id
LEFT JOIN code_state AS s ON s.gtin = c.gtin AND s.serial = c.serial AND s.act = 'activated'
LEFT JOIN code_act AS a ON a.act_id = s.act_id
