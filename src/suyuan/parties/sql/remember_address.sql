INSERT INTO sign_in_address (name_key, address_key)
VALUES ($1, $2)
ON CONFLICT (name_key, address_key) DO UPDATE SET signed_in_at = clock_timestamp()
