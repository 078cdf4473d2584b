-- Standing events that name any of these things in these roles, one row for each content: the surest speaks. Bodies
-- are fetched for the rows that are left, one by one as they are asked for, so that no sort carries them.
SELECT s.*, v.kind AS message, p.body
FROM (
    SELECT DISTINCT ON (e.content_hash)
           e.event_key, e.event_time, e.biz_step, e.disposition, e.biz_location, e.read_point, e.event_type,
           e.evidence_id
    FROM unnest($1::bytea[]) AS wanted (key)
    CROSS JOIN LATERAL (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS probe
    CROSS JOIN LATERAL (
        SELECT i.event_key FROM thing_event AS i
        WHERE i.key = wanted.key AND i.record_month = probe.month AND i.role = ANY ($2::smallint[])
        OFFSET 0
    ) AS found
    JOIN event AS e ON e.event_key = found.event_key
    WHERE e.declaration = ''::bytea
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
      )
    ORDER BY e.content_hash, e.assurance DESC, e.party_id, e.event_key
) AS s
CROSS JOIN LATERAL (SELECT v.kind FROM evidence AS v WHERE v.evidence_id = s.evidence_id OFFSET 0) AS v
CROSS JOIN LATERAL (SELECT p.body FROM event_payload AS p WHERE p.event_key = s.event_key OFFSET 0) AS p
