SELECT i.event_key, i.leaf, e.commitment, e.record_time
FROM intake i
LEFT JOIN event e USING (event_key)
WHERE i.event_key > $1
ORDER BY i.event_key
LIMIT $2
