SELECT count(*)
FROM user_recovery_code
WHERE user_id = $1 AND used_at IS NULL
