SELECT evidence_id, capture_id, kind, received_at, warnings::text AS warnings,
       (SELECT count(*) FROM evidence_event AS x WHERE x.evidence_id = evidence.evidence_id) AS events
FROM evidence WHERE identity = $1
