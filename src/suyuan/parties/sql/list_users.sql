SELECT u.user_id, u.user_name, u.party_id, u.role, u.language, u.password_hash IS NOT NULL AS has_password,
       u.totp_sealed IS NOT NULL AS has_totp, u.created_at, u.disabled_at,
       (SELECT max(s.seen_at) FROM user_session s WHERE s.user_id = u.user_id AND s.stage = 'full') AS seen_at
FROM user_account u
WHERE $1::text IS NULL OR u.party_id = $1
ORDER BY u.party_id, u.user_name
