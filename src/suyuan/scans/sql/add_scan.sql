INSERT INTO scan (gtin, serial, kind, result, score, place) VALUES ($1, $2, 'scratch', $3, $4, $5)
