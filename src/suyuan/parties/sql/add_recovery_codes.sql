INSERT INTO user_recovery_code (user_id, code_digest)
SELECT $1, unnest($2::bytea[])
