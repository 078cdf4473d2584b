-- What a message names by fingerprint, or, where it names none, by serial number.
SELECT fingerprint, party_id, certificate AS der, serial, subject, kind, legacy, not_before, not_after, added_at,
       revoked_at
FROM certificate
WHERE ($1::text <> '' AND fingerprint = $1) OR ($1::text = '' AND $2::text <> '' AND serial = $2)
ORDER BY fingerprint
LIMIT 8
