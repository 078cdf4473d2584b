-- Events under an ID; declarations and other parties' events under the same ID are rows of their own.
SELECT e.event_key, e.party_id, e.event_id, e.received_event_id, e.declaration <> ''::bytea AS declared,
       e.record_time, p.body
FROM event AS e
LEFT JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.event_id_key = $1
ORDER BY e.event_key
