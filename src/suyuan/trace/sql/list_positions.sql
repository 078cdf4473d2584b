-- Where these events' lists name these things.
SELECT e.event_key, i.key, i.role, i.position
FROM unnest($1::bigint[]) AS wanted (event_key)
JOIN event AS e ON e.event_key = wanted.event_key
JOIN thing_event AS i ON i.key = ANY ($2::bytea[]) AND i.event_key = e.event_key
     AND i.record_month = date_trunc('month', e.record_time AT TIME ZONE 'UTC')::date
