SELECT l.log_index, l.event_key, l.leaf, e.commitment, e.record_time
FROM log_entry l
LEFT JOIN event e USING (event_key)
WHERE l.log_index >= $1
ORDER BY l.log_index
LIMIT $2
