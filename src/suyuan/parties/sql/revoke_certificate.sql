UPDATE certificate
SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE fingerprint = $1
RETURNING fingerprint, party_id, certificate AS der, serial, subject, kind, legacy, not_before, not_after, added_at,
          revoked_at
