SELECT evidence_id, capture_id, party_id, kind, name, size, warnings::text AS warnings, received_at,
       (SELECT count(*) FROM evidence_event AS x WHERE x.evidence_id = evidence.evidence_id) AS events
FROM evidence WHERE capture_id = $1
