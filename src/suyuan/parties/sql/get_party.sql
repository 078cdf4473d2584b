SELECT party_id, name_en, name_zh, gln, uscc, customs_code, country, created_at
FROM party
WHERE party_id = $1
