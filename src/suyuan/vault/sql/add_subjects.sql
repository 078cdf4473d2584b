-- In the order given, which is the order of the IDs: see Vault.seal_parts.
INSERT INTO vault_subject (subject_id, wrapped_key)
SELECT subject_id, wrapped_key
FROM unnest($1::bytea[], $2::bytea[]) AS fresh (subject_id, wrapped_key)
ORDER BY subject_id
ON CONFLICT (subject_id) DO NOTHING
RETURNING subject_id
