UPDATE user_link
SET totp_sealed = coalesce(totp_sealed, $2)
WHERE link_digest = $1 AND used_at IS NULL
RETURNING totp_sealed
