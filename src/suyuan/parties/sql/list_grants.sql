SELECT party_id, role, scope, granted_at, revoked_at
FROM party_role
WHERE party_id = $1
ORDER BY granted_at, role, scope
