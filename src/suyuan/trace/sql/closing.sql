-- How a reading ends: which transactions it saw, how many index rows the things that it went through got since a month
-- began, what was issued as the code that it is about and the acts on it, and how many words there are of recalls. Rows are never
-- changed or deleted, so equal counts mean that nothing new was said of any of them. Of a bridge its links alone count.
SELECT pg_current_snapshot()::text AS snapshot, issued.lot, issued.scratch, issued.acts,
       (
           SELECT count(*) FROM event
           WHERE biz_step = 'urn:suyuan:bizstep:recalling'
              OR disposition IN ('https://ref.gs1.org/cbv/Disp-recalled', 'urn:suyuan:disp:recall_lifted')
       ) AS recalls,
       array(
           SELECT CASE
               WHEN wanted.bridge THEN (
                   SELECT count(*) FROM thing_event AS i
                   WHERE i.key = wanted.key AND i.role = 9 AND i.record_month >= $3
               )
               ELSE (
                   SELECT count(*) FROM thing_event AS i
                   WHERE i.key = wanted.key AND i.record_month >= $3
               )
           END
           FROM unnest($1::bytea[], $2::boolean[]) WITH ORDINALITY AS wanted (key, bridge, place)
           ORDER BY wanted.place
       ) AS counts
FROM (VALUES (true)) AS once (one)
LEFT JOIN LATERAL (
    SELECT b.lot, b.scratch_key <> '' AS scratch,
           array(SELECT s.act FROM code_state AS s WHERE s.gtin = c.gtin AND s.serial = c.serial) AS acts
    FROM code AS c
    JOIN code_batch AS b ON b.batch_id = c.batch_id
    WHERE c.gtin = $4 AND c.serial = $5
) AS issued ON true
