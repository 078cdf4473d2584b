SELECT party_id, role, scope, granted_at, revoked_at
FROM party_role
WHERE party_id = $1 AND role = $2 AND scope = $3 AND revoked_at IS NULL
