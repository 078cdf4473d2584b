UPDATE user_account
SET totp_sealed = $2, totp_step = $3
WHERE user_id = $1
