-- Those of one party, or of all where the first argument is empty; revoked ones too.
SELECT fingerprint, party_id, certificate AS der, serial, subject, kind, legacy, not_before, not_after, added_at,
       revoked_at
FROM certificate
WHERE $1::text = '' OR party_id = $1
ORDER BY party_id, added_at, fingerprint
