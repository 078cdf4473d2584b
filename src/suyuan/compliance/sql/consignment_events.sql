-- Standing events that name a shared transport document in these roles, one row for each content, in the order of
-- their times; the best placed party speaks. The waybill and the list of each single parcel name the document too;
-- they say nothing of the whole. Bodies are fetched one by one as they are asked for, so that no sort carries them.
SELECT s.event_key, s.event_time, p.body
FROM (
    SELECT DISTINCT ON (e.content_hash) e.event_key, e.event_time
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = $1
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = $1
    ) AS probe
    CROSS JOIN LATERAL (
        SELECT i.event_key, i.role FROM thing_event AS i
        WHERE i.key = $1 AND i.record_month = probe.month AND i.role = ANY ($2::smallint[])
        OFFSET 0
    ) AS found
    JOIN event AS e ON e.event_key = found.event_key
    WHERE e.declaration = ''::bytea AND e.role = ANY ($3::text[])
      AND NOT (
          found.role = 10 AND e.biz_step IN ('urn:suyuan:bizstep:waybill_issued', 'urn:suyuan:bizstep:declaring')
      )
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
      )
    ORDER BY e.content_hash, e.assurance DESC, e.party_id, e.event_key
) AS s
CROSS JOIN LATERAL (SELECT p.body FROM event_payload AS p WHERE p.event_key = s.event_key OFFSET 0) AS p
ORDER BY s.event_time
