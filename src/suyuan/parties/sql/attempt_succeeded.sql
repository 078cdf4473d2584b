UPDATE sign_in_attempt
SET succeeded = true
WHERE attempt_id = $1
