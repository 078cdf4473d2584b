SELECT e.capture_id, e.kind, e.name, e.received_at, jsonb_array_length(e.warnings) AS warnings,
       (SELECT count(*) FROM evidence_event v WHERE v.evidence_id = e.evidence_id) AS events,
       (SELECT count(*) FROM evidence_event v WHERE v.evidence_id = e.evidence_id AND v.outcome = 'repeat') AS repeats
FROM evidence e
WHERE e.party_id = $1
ORDER BY e.received_at DESC, e.evidence_id DESC
LIMIT $2
