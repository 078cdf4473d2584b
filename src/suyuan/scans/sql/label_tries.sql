-- Tries in the present window under each of the subjects, in their order, and when the window ends.
WITH at AS (
    SELECT to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $2::integer) * $2::integer) AS since
)
SELECT ceil(extract(epoch FROM at.since - clock_timestamp()) + $2::integer)::integer AS seconds_left,
       (
           SELECT array_agg(COALESCE(a.count, 0) ORDER BY w.n)
           FROM unnest($1::bytea[]) WITH ORDINALITY AS w (subject, n)
           LEFT JOIN scan_attempt AS a ON a.subject = w.subject AND a.since = at.since
       ) AS tries
FROM at
