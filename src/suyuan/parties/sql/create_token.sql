INSERT INTO token (token_id, token_digest, party_id, scopes, label, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING token_id, party_id, scopes, label, created_at, expires_at, revoked_at
