UPDATE user_session
SET seen_at = clock_timestamp()
WHERE session_id = $1
