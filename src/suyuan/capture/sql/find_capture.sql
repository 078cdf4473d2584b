SELECT evidence_id, capture_id, kind, received_at, warnings::text AS warnings FROM evidence WHERE identity = $1
