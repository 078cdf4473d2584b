INSERT INTO vault_number (pseudonym, subject_id, sealed)
SELECT pseudonym, subject_id, sealed
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS fresh (pseudonym, subject_id, sealed)
ORDER BY pseudonym
ON CONFLICT (pseudonym) DO NOTHING
