-- Index rows of several things, each in its own span of event time and only in the months in which it has rows.
-- withdrawn: the same party declared this event wrong.
SELECT wanted.key, found.role, found.action, found.other, found.position, found.event_time, found.event_key,
       found.event_type, found.withdrawn, o.uri AS other_uri, p.body
FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]) AS wanted (key, since, until)
CROSS JOIN LATERAL (
    SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
    UNION ALL
    SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
) AS probe
CROSS JOIN LATERAL (
    SELECT i.role, i.action, i.other, i.position, i.event_time, i.event_key, e.event_type,
           EXISTS (
               SELECT FROM event AS d
               WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
           ) AS withdrawn
    FROM thing_event AS i
    JOIN event AS e ON e.event_key = i.event_key
    WHERE i.key = wanted.key
      AND i.record_month = probe.month
      AND i.role = ANY ($4::smallint[])
      AND i.event_time BETWEEN wanted.since AND wanted.until
      AND e.declaration = ''::bytea
    ORDER BY i.event_time, i.event_key
    LIMIT $5
) AS found
LEFT JOIN thing AS o ON found.other <> ''::bytea AND o.key = found.other
-- A link is followed without reading the event that makes it.
LEFT JOIN event_payload AS p ON found.role <> 9 AND p.event_key = found.event_key
