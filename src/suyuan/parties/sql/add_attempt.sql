INSERT INTO sign_in_attempt (name_key, address_key)
VALUES ($1, $2)
RETURNING attempt_id
