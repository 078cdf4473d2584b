SELECT user_id, user_name, party_id, role, language, password_hash IS NOT NULL AS has_password,
       totp_sealed IS NOT NULL AS has_totp, created_at, disabled_at
FROM user_account
WHERE user_id = $1
