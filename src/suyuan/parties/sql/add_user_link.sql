INSERT INTO user_link (link_digest, user_id, purpose, totp_sealed, expires_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
RETURNING expires_at
