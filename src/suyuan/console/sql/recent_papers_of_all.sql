SELECT e.capture_id, e.kind, e.name, e.received_at, jsonb_array_length(e.warnings) AS warnings, p.name_en, p.name_zh,
       (SELECT count(*) FROM evidence_event v WHERE v.evidence_id = e.evidence_id) AS events,
       (SELECT count(*) FROM evidence_event v WHERE v.evidence_id = e.evidence_id AND v.outcome = 'repeat') AS repeats
FROM evidence e
JOIN party p USING (party_id)
ORDER BY e.evidence_id DESC
LIMIT $1
