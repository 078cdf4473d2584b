-- Since when the oldest event without an index waits, in seconds; no row where none does.
SELECT greatest(extract(epoch FROM clock_timestamp() - e.record_time), 0)
FROM (SELECT event_key FROM intake ORDER BY event_key LIMIT 1) AS i
JOIN event AS e USING (event_key)
