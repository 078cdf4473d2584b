-- Among the newest $1 events: those whose ID another party gave to other content before, and nobody took back.
SELECT r.event_id, r.event_key, r.party_id, r.event_time, r.record_time, r.biz_step,
       o.party_id AS other_party, o.event_key AS other_key, o.record_time AS other_record_time,
       o.event_time AS other_event_time
FROM (
    SELECT event_id, event_key, event_id_key, content_hash, declaration, party_id, event_time, record_time, biz_step
    FROM event ORDER BY event_key DESC LIMIT $1
) AS r
CROSS JOIN LATERAL (
    SELECT o.party_id, o.event_key, o.record_time, o.event_time
    FROM event AS o
    WHERE o.event_id_key = r.event_id_key AND o.event_key < r.event_key AND o.content_hash <> r.content_hash
      AND o.declaration = ''::bytea
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = o.event_id_key AND d.party_id = o.party_id AND d.declaration <> ''::bytea
      )
    ORDER BY o.event_key
    LIMIT 1
) AS o
WHERE r.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = r.event_id_key AND d.party_id = r.party_id AND d.declaration <> ''::bytea
  )
ORDER BY r.event_key DESC
LIMIT $2
