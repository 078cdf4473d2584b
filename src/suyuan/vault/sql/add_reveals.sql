INSERT INTO vault_reveal (subject_id, party_id, reason, actor)
SELECT subject_id, $2, $3, $4
FROM unnest($1::bytea[]) AS revealed (subject_id)
