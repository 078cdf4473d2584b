-- Parties by ID, registration number or a part of a name; $1 as it is, $2 as a pattern.
SELECT party_id, name_en, name_zh, uscc, customs_code, gln
FROM party
WHERE party_id = lower($1) OR uscc = upper($1) OR customs_code = upper($1) OR gln = $1
   OR name_en ILIKE $2 OR name_zh ILIKE $2
ORDER BY party_id
LIMIT 12
