-- The events of a paper from a position on.
SELECT x.position, x.outcome, x.path, x.rule, e.event_id, e.event_key
FROM evidence_event AS x JOIN event AS e ON e.event_key = x.event_key
WHERE x.evidence_id = $1 AND x.position >= $2
ORDER BY x.position
LIMIT $3
