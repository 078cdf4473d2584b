INSERT INTO evidence_body (evidence_id, salt, skeleton) VALUES ($1, $2, $3)
