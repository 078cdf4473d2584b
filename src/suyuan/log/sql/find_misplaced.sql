SELECT 'log.event.lost' AS code, e.event_key
FROM event e
WHERE NOT EXISTS (SELECT FROM log_entry l WHERE l.event_key = e.event_key)
  AND NOT EXISTS (SELECT FROM intake i WHERE i.event_key = e.event_key)
UNION ALL
SELECT 'log.event.twice', i.event_key
FROM intake i
JOIN log_entry l USING (event_key)
UNION ALL
SELECT 'log.intake.event', i.event_key
FROM intake i
WHERE NOT EXISTS (SELECT FROM event e WHERE e.event_key = i.event_key)
LIMIT $1
