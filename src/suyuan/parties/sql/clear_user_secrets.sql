UPDATE user_account
SET password_hash = NULL, totp_sealed = NULL
WHERE user_id = $1
