SELECT party_id, role, scope, granted_at, revoked_at
FROM party_role
WHERE party_id = $1 AND granted_at <= $2 AND (revoked_at IS NULL OR revoked_at > $2)
ORDER BY role, scope
