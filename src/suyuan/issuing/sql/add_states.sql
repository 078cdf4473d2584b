-- Sorted, so that concurrent acts on overlapping serials wait for each other in one order.
INSERT INTO code_state (gtin, serial, act, act_id)
SELECT $1, s.serial, $3, $4 FROM unnest($2::text[]) AS s (serial) ORDER BY s.serial
ON CONFLICT DO NOTHING
RETURNING serial
