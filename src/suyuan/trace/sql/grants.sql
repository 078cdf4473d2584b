-- All grants of these parties, ended ones too: whose word counted at which moment.
SELECT party_id, role, scope, granted_at, revoked_at
FROM party_role
WHERE party_id = ANY ($1::text[])
ORDER BY party_id, granted_at, role, scope
