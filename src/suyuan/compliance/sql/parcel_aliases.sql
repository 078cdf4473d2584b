-- Standing events that give one of these parcels a second waybill number, with the role of who says so.
SELECT DISTINCT e.event_key, e.role, p.body
FROM thing_event AS i
JOIN event AS e ON e.event_key = i.event_key
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE i.key = ANY ($1::bytea[]) AND i.role = 1
  AND e.biz_step = 'urn:suyuan:bizstep:aliasing' AND e.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
LIMIT $2
