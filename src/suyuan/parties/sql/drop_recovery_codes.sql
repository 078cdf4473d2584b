DELETE FROM user_recovery_code
WHERE user_id = $1
