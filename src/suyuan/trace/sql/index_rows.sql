-- Index rows of several things, each in its own span of event time and only in the months in which it has rows; of
-- each thing at most $5, the earliest. Each role is read in the order of the index, so that a thing with a million
-- rows costs no more than one with $5. roles: bit n for role n. withdrawn: the same party declared this event wrong.
-- place: which of the spans that are asked for a row belongs to.
SELECT wanted.place, wanted.key, found.role, found.action, found.other, found.position, found.event_time, found.event_key,
       found.event_type, found.withdrawn, o.uri AS other_uri, p.body
FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[], $4::integer[])
    WITH ORDINALITY AS wanted (key, since, until, roles, place)
CROSS JOIN LATERAL (
    SELECT array_agg(one.month) AS months
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS one
) AS probe
CROSS JOIN LATERAL (
    (
        SELECT i.role, i.action, i.other, i.position, i.event_time, i.event_key, e.event_type,
               EXISTS (
                   SELECT FROM event AS d
                   WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id
                     AND d.declaration <> ''::bytea
               ) AS withdrawn
        FROM unnest(probe.months) AS searched (month)
        CROSS JOIN generate_series(1, 10) AS asked (role)
        CROSS JOIN LATERAL (
            SELECT t.role, t.action, t.other, t.position, t.event_time, t.event_key
            FROM thing_event AS t
            WHERE t.key = wanted.key AND t.record_month = searched.month AND t.role = asked.role
              AND t.event_time BETWEEN wanted.since AND wanted.until
            ORDER BY t.event_time, t.event_key
            LIMIT $5
        ) AS i
        JOIN event AS e ON e.event_key = i.event_key AND e.declaration = ''::bytea
        WHERE wanted.roles >> asked.role & 1 = 1
        ORDER BY i.event_time, i.event_key
        LIMIT $5
    )
    UNION ALL
    -- Where the thing was when its span began: the last that was said of its place before, however long ago.
    (
        SELECT i.role, i.action, i.other, i.position, i.event_time, i.event_key, i.event_type, false
        FROM unnest(probe.months) AS searched (month)
        CROSS JOIN LATERAL (
            SELECT t.role, t.action, t.other, t.position, t.event_time, t.event_key, e.event_type
            FROM thing_event AS t
            JOIN event AS e ON e.event_key = t.event_key AND e.declaration = ''::bytea AND e.event_type = 2
            WHERE t.key = wanted.key AND t.record_month = searched.month AND t.role = 3
              AND t.event_time < wanted.since
              AND NOT EXISTS (
                  SELECT FROM event AS d
                  WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id
                    AND d.declaration <> ''::bytea
              )
            ORDER BY t.event_time DESC, CASE t.action WHEN 3 THEN 0 ELSE t.action END DESC, t.event_key DESC
            LIMIT 1
        ) AS i
        WHERE wanted.roles >> 3 & 1 = 1
        ORDER BY i.event_time DESC, CASE i.action WHEN 3 THEN 0 ELSE i.action END DESC, i.event_key DESC
        LIMIT 1
    )
) AS found
LEFT JOIN thing AS o ON found.other <> ''::bytea AND o.key = found.other
LEFT JOIN event_payload AS p ON p.event_key = found.event_key
