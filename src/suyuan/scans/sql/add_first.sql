-- One row for each code, whoever comes at the same moment; no row where there is one already.
INSERT INTO scan (gtin, serial, kind, result, place) VALUES ($1, $2, 'scratch', 'first', $3)
ON CONFLICT (gtin, serial) WHERE kind = 'scratch' AND result = 'first' DO NOTHING
RETURNING scanned_at
