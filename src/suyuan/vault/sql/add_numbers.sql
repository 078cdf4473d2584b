-- Each number twice: under its pseudonym, and under a name that is found without its issuer (Vault.find_numbers).
INSERT INTO vault_number (pseudonym, subject_id, sealed)
SELECT pseudonym, subject_id, sealed
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS fresh (pseudonym, subject_id, sealed)
UNION ALL
SELECT search, subject_id, ''::bytea
FROM unnest($4::text[], $2::bytea[]) AS fresh (search, subject_id)
ORDER BY pseudonym
ON CONFLICT (pseudonym) DO NOTHING
