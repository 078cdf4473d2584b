UPDATE user_account
SET totp_step = $2
WHERE user_id = $1 AND totp_step < $2
RETURNING user_id
