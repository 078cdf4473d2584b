-- Things that were known: a key whose URI differs is a collision, a new month is noted. Keys as in add_things.
WITH given AS (
    SELECT substring($1::bytea FROM g.place::integer * 16 - 15 FOR 16) AS key, g.uri
    FROM unnest(string_to_array($2, $4)) WITH ORDINALITY AS g (uri, place)
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
