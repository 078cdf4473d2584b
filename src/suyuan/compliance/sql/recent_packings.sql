-- Among the newest $1 events: packings into parcels, the newest first.
SELECT r.event_key, p.body
FROM (
    SELECT event_key, event_type, declaration FROM event ORDER BY event_key DESC LIMIT $1
) AS r
JOIN event_payload AS p ON p.event_key = r.event_key
WHERE r.event_type = 2 AND r.declaration = ''::bytea
  AND position('"parentID":"urn:suyuan:waybill:'::bytea IN p.body) > 0
ORDER BY r.event_key DESC
LIMIT $2
