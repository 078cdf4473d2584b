SELECT evidence_id, capture_id, party_id, kind, name, size, warnings::text AS warnings, received_at
FROM evidence WHERE capture_id = $1
