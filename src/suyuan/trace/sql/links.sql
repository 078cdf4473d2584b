-- Where papers lead: of each paper at most $5 farther ones, each with the first event that names the two together and
-- that its party has not declared wrong. A thousand parcels of one exit list say a thousand times which gate pass is
-- the list's. rows: how many index rows were looked at, of which $4 are the most.
SELECT wanted.place, wanted.key, leads.other, o.uri AS other_uri, leads.rows, first.event_key, first.event_time
FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS wanted (key, since, until, place)
CROSS JOIN LATERAL (
    SELECT i.other, array_agg(i.event_key ORDER BY i.event_time, i.event_key) AS event_keys,
           sum(count(*)) OVER () AS rows
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS searched
    CROSS JOIN LATERAL (
        SELECT t.other, t.event_time, t.event_key
        FROM thing_event AS t
        WHERE t.key = wanted.key AND t.record_month = searched.month AND t.role = 9
          AND t.event_time BETWEEN wanted.since AND wanted.until
        ORDER BY t.event_time, t.event_key
        LIMIT $4
    ) AS i
    GROUP BY i.other
    ORDER BY min(i.event_time), i.other
    LIMIT $5
) AS leads
CROSS JOIN LATERAL (
    -- Nearly always the first one stands; only where it does not the others are looked at.
    SELECT coalesce(
        (
            SELECT e.event_key FROM event AS e
            WHERE e.event_key = leads.event_keys[1] AND e.declaration = ''::bytea
              AND NOT EXISTS (
                  SELECT FROM event AS d
                  WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id
                    AND d.declaration <> ''::bytea
              )
        ),
        (
            SELECT e.event_key
            FROM unnest(leads.event_keys) WITH ORDINALITY AS said (event_key, place)
            JOIN event AS e ON e.event_key = said.event_key AND e.declaration = ''::bytea
            WHERE NOT EXISTS (
                SELECT FROM event AS d
                WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id
                  AND d.declaration <> ''::bytea
            )
            ORDER BY said.place
            LIMIT 1
        )
    ) AS event_key
) AS standing
JOIN event AS first ON first.event_key = standing.event_key
JOIN thing AS o ON o.key = leads.other
