UPDATE party_role
SET revoked_at = greatest(granted_at, clock_timestamp())
WHERE party_id = $1 AND role = $2 AND scope = $3 AND revoked_at IS NULL
RETURNING party_id, role, scope, granted_at, revoked_at
