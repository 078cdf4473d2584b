-- What a verification needs to know of a code in one look: its batch, whether it is voided, and the tries in the
-- present window under each of the subjects, in their order.
WITH at AS (
    SELECT to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $4::integer) * $4::integer) AS since
)
SELECT b.batch_id IS NOT NULL AS issued,
       COALESCE(b.scratch_key, '') AS scratch_key,
       COALESCE(b.epoch, '') AS epoch,
       EXISTS (SELECT FROM code_state AS s WHERE s.gtin = $1 AND s.serial = $2 AND s.act = 'voided') AS voided,
       ceil(extract(epoch FROM at.since - clock_timestamp()) + $4::integer)::integer AS seconds_left,
       (
           SELECT array_agg(COALESCE(a.count, 0) ORDER BY w.n)
           FROM unnest($3::bytea[]) WITH ORDINALITY AS w (subject, n)
           LEFT JOIN scan_attempt AS a ON a.subject = w.subject AND a.since = at.since
       ) AS tries
FROM at
LEFT JOIN code AS c ON c.gtin = $1 AND c.serial = $2
LEFT JOIN code_batch AS b ON b.batch_id = c.batch_id
