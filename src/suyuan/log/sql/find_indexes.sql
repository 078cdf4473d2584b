SELECT event_key, log_index
FROM log_entry
WHERE event_key = ANY ($1::bigint[])
