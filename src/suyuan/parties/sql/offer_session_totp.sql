UPDATE user_session
SET totp_sealed = coalesce(totp_sealed, $2)
WHERE session_id = $1
RETURNING totp_sealed
