UPDATE user_session
SET totp_sealed = NULL
WHERE session_id = $1
