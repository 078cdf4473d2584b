SELECT s.session_id, s.session_digest, s.stage, s.totp_sealed AS offered_totp,
       clock_timestamp() - s.seen_at > interval '1 minute' AS stale,
       u.user_id, u.user_name, u.party_id, u.role, u.language, u.password_hash IS NOT NULL AS has_password,
       u.totp_sealed IS NOT NULL AS has_totp, u.created_at, u.disabled_at
FROM user_session s
JOIN user_account u USING (user_id)
WHERE s.session_digest = $1 AND s.ended_at IS NULL AND u.disabled_at IS NULL
  AND s.expires_at > clock_timestamp() AND s.seen_at > clock_timestamp() - make_interval(secs => $2)
