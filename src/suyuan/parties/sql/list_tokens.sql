SELECT token_id, party_id, scopes, label, created_at, expires_at, revoked_at
FROM token
WHERE party_id = $1
ORDER BY created_at, token_id
