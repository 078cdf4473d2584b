SELECT subject_id, wrapped_key
FROM vault_subject
WHERE subject_id = ANY ($1::bytea[])
