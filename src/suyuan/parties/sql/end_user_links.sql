UPDATE user_link
SET used_at = clock_timestamp()
WHERE user_id = $1 AND used_at IS NULL
