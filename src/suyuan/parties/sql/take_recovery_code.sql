UPDATE user_recovery_code
SET used_at = clock_timestamp()
WHERE user_id = $1 AND code_digest = $2 AND used_at IS NULL
RETURNING user_id
