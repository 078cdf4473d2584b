-- What was said of a parcel since $2: the goods of its declaration and order, and what was packed into it.
WITH about AS (
    SELECT t.event_key, t.role, t.other
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = $1
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = $1
    ) AS searched
    CROSS JOIN LATERAL (
        SELECT i.event_key, i.role, i.other FROM thing_event AS i
        WHERE i.key = $1 AND i.record_month = searched.month AND i.role IN (2, 7, 9) AND i.event_time >= $2
        ORDER BY i.event_time DESC
        LIMIT 200
    ) AS t
), named AS (
    SELECT about.event_key FROM about WHERE about.role IN (2, 7)
    UNION
    SELECT i.event_key
    FROM (SELECT DISTINCT about.other AS key FROM about WHERE about.role = 9 LIMIT 20) AS paper
    CROSS JOIN LATERAL (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = paper.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = paper.key
    ) AS searched
    CROSS JOIN LATERAL (
        SELECT t.event_key FROM thing_event AS t
        WHERE t.key = paper.key AND t.record_month = searched.month AND t.role = 7 AND t.event_time >= $2
        ORDER BY t.event_time DESC
        LIMIT 40
    ) AS i
)
SELECT e.event_key, e.event_type, e.action, e.event_time, e.biz_step, p.body
FROM named
JOIN event AS e ON e.event_key = named.event_key AND e.declaration = ''::bytea
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE (e.event_type = 2 OR e.biz_step IN ('urn:suyuan:bizstep:declaring', 'urn:suyuan:bizstep:ordering'))
  AND NOT EXISTS (
      SELECT FROM event AS d
      WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
  )
ORDER BY e.event_time, e.event_key
