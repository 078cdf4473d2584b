INSERT INTO certificate (fingerprint, party_id, certificate, serial, subject, kind, legacy, not_before, not_after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (fingerprint) DO NOTHING
RETURNING fingerprint, party_id, certificate AS der, serial, subject, kind, legacy, not_before, not_after, added_at,
          revoked_at
