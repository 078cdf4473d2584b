UPDATE token
SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE token_id = $1
RETURNING token_id, party_id, scopes, label, created_at, expires_at, revoked_at
