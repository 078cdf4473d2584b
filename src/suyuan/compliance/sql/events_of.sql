-- Standing events that name any of these things in these roles, one row for each content.
SELECT DISTINCT ON (e.content_hash)
       e.event_key, e.event_time, e.biz_step, e.disposition, e.biz_location, e.read_point, e.event_type,
       v.kind AS message, p.body
FROM unnest($1::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
    UNION ALL
    SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
) AS probe
CROSS JOIN LATERAL (
    SELECT i.event_key FROM thing_event AS i
    WHERE i.key = wanted.key AND i.record_month = probe.month AND i.role = ANY ($2::smallint[])
    LIMIT $3
) AS found
JOIN event AS e ON e.event_key = found.event_key
JOIN evidence AS v ON v.evidence_id = e.evidence_id
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
ORDER BY e.content_hash, e.assurance DESC, e.party_id
