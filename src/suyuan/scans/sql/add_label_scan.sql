INSERT INTO scan (gtin, serial, kind, result, score, place) VALUES ($1, $2, 'label', $3, $4, $5) RETURNING scan_id
