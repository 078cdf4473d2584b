INSERT INTO scan_mapping (party_id, name, version, text)
VALUES ($1, $2, $3, $4)
ON CONFLICT (party_id, name, version) DO NOTHING
RETURNING name, version, text, added_at
