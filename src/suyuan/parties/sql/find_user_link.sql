SELECT user_id, purpose, totp_sealed, expires_at
FROM user_link
WHERE link_digest = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
