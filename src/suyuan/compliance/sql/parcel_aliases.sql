-- Standing events that give one of these parcels a second waybill number, said by one who moves parcels.
SELECT s.event_key, p.body
FROM (
    SELECT DISTINCT e.event_key
    FROM unnest($1::bytea[]) AS wanted (key)
    CROSS JOIN LATERAL (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS probe
    CROSS JOIN LATERAL (
        SELECT i.event_key FROM thing_event AS i
        WHERE i.key = wanted.key AND i.record_month = probe.month AND i.role = 1
        OFFSET 0
    ) AS found
    JOIN event AS e ON e.event_key = found.event_key
    WHERE e.biz_step = 'urn:suyuan:bizstep:aliasing' AND e.declaration = ''::bytea
      AND e.role = ANY ($2::text[])
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
      )
) AS s
CROSS JOIN LATERAL (SELECT p.body FROM event_payload AS p WHERE p.event_key = s.event_key OFFSET 0) AS p
