UPDATE user_session
SET ended_at = clock_timestamp()
WHERE session_id = $1 AND user_id = $2 AND ended_at IS NULL
RETURNING session_id
