UPDATE user_link
SET used_at = clock_timestamp()
WHERE link_digest = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING user_id, purpose, totp_sealed
