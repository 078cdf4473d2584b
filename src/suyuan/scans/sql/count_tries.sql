INSERT INTO scan_attempt (subject, since, count)
SELECT s.subject, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $2::integer) * $2::integer), 1
FROM unnest($1::bytea[]) AS s (subject)
ON CONFLICT (subject, since) DO UPDATE SET count = scan_attempt.count + 1
