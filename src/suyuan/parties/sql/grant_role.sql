INSERT INTO party_role (party_id, role, scope, granted_at)
VALUES ($1, $2, $3, coalesce($4::timestamptz, clock_timestamp()))
ON CONFLICT (party_id, role, scope) WHERE revoked_at IS NULL DO NOTHING
RETURNING party_id, role, scope, granted_at, revoked_at
