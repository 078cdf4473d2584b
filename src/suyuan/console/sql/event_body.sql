-- One event as it is stored.
SELECT e.event_id, e.party_id, p.body, p.statement
FROM event AS e
LEFT JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.event_key = $1
