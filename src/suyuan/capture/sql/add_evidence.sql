-- No row comes back when the same party sent the same bytes before.
INSERT INTO evidence (capture_id, party_id, kind, name, size, digest, identity, warnings, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)
ON CONFLICT (identity) DO NOTHING
RETURNING evidence_id
