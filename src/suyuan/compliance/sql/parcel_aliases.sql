-- Standing events that give one of these parcels a second waybill number, said by one who moves parcels.
SELECT DISTINCT e.event_key, p.body
FROM thing_event AS i
JOIN event AS e ON e.event_key = i.event_key
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE i.key = ANY ($1::bytea[]) AND i.role = 1
  AND e.biz_step = 'urn:suyuan:bizstep:aliasing' AND e.declaration = ''::bytea
  AND e.role = ANY ($3::text[])
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
LIMIT $2
