-- The lock keeps an erasure from deleting a key under which the caller is about to seal.
SELECT subject_id, wrapped_key
FROM vault_subject
WHERE subject_id = ANY ($1::bytea[])
ORDER BY subject_id
FOR KEY SHARE
