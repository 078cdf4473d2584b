SELECT user_id, password_hash, totp_sealed, totp_step, disabled_at
FROM user_account
WHERE user_name = $1
