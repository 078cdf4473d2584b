-- Standing events that name a document as paper, parcel or content, newest first; of one party alone where it is given.
-- DISTINCT: an event may name it in several roles.
SELECT e.event_key, e.event_time, e.biz_step, e.action, p.body
FROM (
    SELECT thing.first_month AS month FROM thing WHERE thing.key = $1
    UNION ALL
    SELECT thing_period.month FROM thing_period WHERE thing_period.key = $1
) AS probe
CROSS JOIN LATERAL (
    SELECT DISTINCT i.event_key, i.event_time
    FROM thing_event AS i
    JOIN event AS whose ON whose.event_key = i.event_key AND ($5::text IS NULL OR whose.party_id = $5)
    WHERE i.key = $1 AND i.record_month = probe.month AND i.role IN (1, 2, 3, 7)
      AND i.event_time BETWEEN $2 AND $3
    ORDER BY i.event_time DESC, i.event_key
    LIMIT $4
) AS found
JOIN event AS e ON e.event_key = found.event_key
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
ORDER BY e.event_time DESC, e.event_key
LIMIT $4
