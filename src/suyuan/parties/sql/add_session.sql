INSERT INTO user_session (session_id, session_digest, user_id, stage, device, network, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))
