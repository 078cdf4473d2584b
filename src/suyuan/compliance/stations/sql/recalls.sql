-- The last word on a recall of each of these things (items and lots, each with its GTIN), by a party that may recall it.
SELECT DISTINCT ON (wanted.key) wanted.key, e.event_time,
       e.disposition IS DISTINCT FROM 'urn:suyuan:disp:recall_lifted' AS recalled
FROM unnest($1::bytea[], $2::text[]) AS wanted (key, gtin)
CROSS JOIN LATERAL (
    SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
    UNION ALL
    SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
) AS searched
JOIN thing_event AS i ON i.key = wanted.key AND i.record_month = searched.month AND i.role IN (1, 6)
JOIN event AS e ON e.event_key = i.event_key AND e.declaration = ''::bytea
WHERE (e.biz_step = 'urn:suyuan:bizstep:recalling' OR e.disposition = ANY ($3::text[]))
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
  AND EXISTS (
      SELECT FROM event AS q
      JOIN party_role AS r ON r.party_id = q.party_id
      WHERE q.content_hash = e.content_hash AND q.declaration = ''::bytea AND r.role = ANY ($4::text[])
        AND r.scope IN ('', wanted.gtin)
        AND r.granted_at <= q.record_time AND (r.revoked_at IS NULL OR r.revoked_at > q.record_time)
  )
ORDER BY wanted.key, e.event_time DESC, e.event_key DESC
