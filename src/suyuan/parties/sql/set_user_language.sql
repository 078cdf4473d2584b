UPDATE user_account
SET language = $2
WHERE user_id = $1
