INSERT INTO vault_reveal (subject_id, party_id, reason)
SELECT subject_id, $2, $3
FROM unnest($1::bytea[]) AS revealed (subject_id)
