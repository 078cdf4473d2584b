-- How things stand: known at all, what was said of them that bars them from a parcel, and the container that they were
-- put into last. Statements that their party took back do not count. A container that was emptied holds nothing.
SELECT wanted.key, probe.months IS NOT NULL AS known, barred.dispositions,
       CASE WHEN inside.action <> 3 AND NOT emptied.it THEN inside.other ELSE ''::bytea END AS parent,
       CASE WHEN inside.action <> 3 AND NOT emptied.it THEN o.uri END AS parent_uri
FROM unnest($1::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT array_agg(one.month) AS months
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS one
) AS probe
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT e.disposition) AS dispositions
    FROM unnest(probe.months) AS searched (month)
    CROSS JOIN LATERAL (
        SELECT t.event_key FROM thing_event AS t
        WHERE t.key = wanted.key AND t.record_month = searched.month AND t.role = 1
        ORDER BY t.event_time DESC, t.event_key DESC
        LIMIT 200
    ) AS i
    JOIN event AS e ON e.event_key = i.event_key AND e.declaration = ''::bytea
    WHERE e.disposition = ANY ($2::text[])
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
      )
) AS barred ON true
LEFT JOIN LATERAL (
    SELECT i.action, i.other, i.event_time
    FROM unnest(probe.months) AS searched (month)
    CROSS JOIN LATERAL (
        SELECT t.action, t.other, t.event_time, t.event_key
        FROM thing_event AS t
        JOIN event AS e ON e.event_key = t.event_key AND e.declaration = ''::bytea AND e.event_type = 2
        WHERE t.key = wanted.key AND t.record_month = searched.month AND t.role = 3
          AND NOT EXISTS (
              SELECT FROM event AS d
              WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
          )
        ORDER BY t.event_time DESC, CASE t.action WHEN 3 THEN 0 ELSE t.action END DESC, t.event_key DESC
        LIMIT 1
    ) AS i
    ORDER BY i.event_time DESC, CASE i.action WHEN 3 THEN 0 ELSE i.action END DESC, i.event_key DESC
    LIMIT 1
) AS inside ON true
LEFT JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM (
            SELECT thing.first_month AS month FROM thing WHERE thing.key = inside.other
            UNION ALL
            SELECT thing_period.month FROM thing_period WHERE thing_period.key = inside.other
        ) AS held
        JOIN thing_event AS t ON t.key = inside.other AND t.record_month = held.month
        JOIN event AS e ON e.event_key = t.event_key AND e.declaration = ''::bytea AND e.event_type = 2
        WHERE t.role = 2 AND t.action = 3 AND t.position = 0 AND t.event_time >= inside.event_time
          AND NOT EXISTS (
              SELECT FROM event AS d
              WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
          )
    ) AS it
) AS emptied ON inside.other IS NOT NULL
LEFT JOIN thing AS o ON o.key = inside.other
