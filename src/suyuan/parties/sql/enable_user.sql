UPDATE user_account
SET disabled_at = NULL
WHERE user_id = $1
RETURNING user_id, user_name, party_id, role, language, password_hash IS NOT NULL AS has_password,
       totp_sealed IS NOT NULL AS has_totp, created_at, disabled_at
