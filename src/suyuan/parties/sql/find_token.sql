SELECT token_id, token_digest, party_id, scopes, expires_at, revoked_at, clock_timestamp() AS asked_at
FROM token
WHERE token_digest = $1
