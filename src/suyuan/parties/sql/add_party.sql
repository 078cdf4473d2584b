INSERT INTO party (party_id, name_en, name_zh, gln, uscc, customs_code, country)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (party_id) DO NOTHING
RETURNING party_id, name_en, name_zh, gln, uscc, customs_code, country, created_at
