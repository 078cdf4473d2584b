-- Things that were known: a key whose URI differs is a collision, a new month is noted.
WITH given AS (
    SELECT key, uri FROM unnest($1::bytea[], $2::text[]) AS g (key, uri)
), noted AS (
    INSERT INTO thing_period (key, month)
    SELECT thing.key, $3 FROM given JOIN thing ON thing.key = given.key
    WHERE thing.first_month <> $3
    ORDER BY thing.key
    ON CONFLICT DO NOTHING
)
SELECT given.uri, thing.uri AS stored
FROM given JOIN thing ON thing.key = given.key
WHERE thing.uri <> given.uri
LIMIT 1
