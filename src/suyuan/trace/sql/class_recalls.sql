-- Standing words about a recall that name one of these things as a class: a product as a whole. In the form of index
-- rows. At most $2 of each, the earliest.
SELECT wanted.place, wanted.key, found.role, found.action, found.other, found.position, found.event_time,
       found.event_key, found.event_type, found.withdrawn, NULL::text AS other_uri, p.body
FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (key, place)
CROSS JOIN LATERAL (
    SELECT i.role, i.action, i.other, i.position, i.event_time, i.event_key, e.event_type,
           EXISTS (
               SELECT FROM event AS d
               WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
           ) AS withdrawn
    FROM event AS e
    JOIN thing_event AS i ON i.key = wanted.key AND i.role = 6 AND i.event_time = e.event_time
         AND i.event_key = e.event_key
         AND i.record_month = date_trunc('month', e.record_time AT TIME ZONE 'UTC')::date
    WHERE (
            e.biz_step = 'urn:suyuan:bizstep:recalling'
            OR e.disposition IN ('https://ref.gs1.org/cbv/Disp-recalled', 'urn:suyuan:disp:recall_lifted')
        )
        AND e.declaration = ''::bytea
    ORDER BY i.event_time, i.event_key
    LIMIT $2
) AS found
LEFT JOIN event_payload AS p ON p.event_key = found.event_key
