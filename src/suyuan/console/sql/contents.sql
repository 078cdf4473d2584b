-- Standing events that name a thing in one of these roles, the oldest first: what it held, or the items of a lot.
SELECT DISTINCT ON (e.event_time, e.content_hash) e.event_key, e.event_time, e.action, p.body
FROM (
    SELECT thing.first_month AS month FROM thing WHERE thing.key = $1
    UNION
    SELECT thing_period.month FROM thing_period WHERE thing_period.key = $1
) AS probe
CROSS JOIN LATERAL (
    SELECT i.event_key FROM thing_event AS i
    WHERE i.key = $1 AND i.record_month = probe.month AND i.role = ANY ($2::smallint[])
    LIMIT $3
) AS found
JOIN event AS e ON e.event_key = found.event_key
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
ORDER BY e.event_time, e.content_hash, e.assurance DESC, e.party_id
