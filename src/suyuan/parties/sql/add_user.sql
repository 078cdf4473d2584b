INSERT INTO user_account (user_id, user_name, party_id, role, language)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_name) DO NOTHING
RETURNING user_id, user_name, party_id, role, language, password_hash IS NOT NULL AS has_password,
       totp_sealed IS NOT NULL AS has_totp, created_at, disabled_at
