UPDATE sign_in_attempt
SET succeeded = true
WHERE name_key = $1 AND address_key = $2 AND NOT succeeded
