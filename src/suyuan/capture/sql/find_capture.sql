SELECT evidence_id, capture_id, kind, received_at FROM evidence WHERE identity = $1
