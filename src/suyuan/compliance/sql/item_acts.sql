-- Standing acts on the items of one GTIN (their keys lie between $1 and $2) that have to do with stock: steps of $3,
-- dispositions of $4, or being put into and taken out of a parcel. Item by item, each in the order of time. ``emptied``
-- is when everything was taken out of that parcel last.
SELECT i.key, t.uri, i.event_time, i.action, i.role, i.other, e.biz_step, e.disposition,
       COALESCE(e.biz_location, e.read_point) AS place, parcel.emptied
FROM thing_event AS i
JOIN event AS e ON e.event_key = i.event_key AND e.declaration = ''::bytea
JOIN thing AS t ON t.key = i.key
LEFT JOIN LATERAL (
    SELECT true AS held, (
        SELECT max(p.event_time)
        FROM thing_event AS p
        JOIN event AS o ON o.event_key = p.event_key AND o.declaration = ''::bytea AND o.event_type = 2
        WHERE p.key = i.other AND p.role = 2 AND p.action = 3 AND p.position = 0
          AND NOT EXISTS (
              SELECT FROM event AS d
              WHERE d.event_id_key = o.event_id_key AND d.party_id = o.party_id AND d.declaration <> ''::bytea
          )
    ) AS emptied
    FROM thing AS w
    WHERE w.key = i.other AND i.role = 3 AND w.uri LIKE 'urn:suyuan:waybill:%'
) AS parcel ON true
WHERE i.key BETWEEN $1 AND $2 AND i.role IN (1, 3)
  AND (
      (i.role = 1 AND (e.biz_step = ANY ($3::text[]) OR e.disposition = ANY ($4::text[])))
      OR (i.role = 3 AND parcel.held AND e.event_type = 2)
  )
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
ORDER BY i.key, i.event_time, CASE i.action WHEN 3 THEN 0 ELSE i.action END, i.event_key
