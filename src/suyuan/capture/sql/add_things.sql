-- Sorted by key, so that concurrent captures of the same things wait for each other in one order. Keys come one after
-- the other, 16 bytes each, URIs with $5 between them: a long array costs the driver more than splitting costs here.
WITH given AS (
    SELECT substring($1::bytea FROM g.place::integer * 16 - 15 FOR 16) AS key, g.uri, g.kind
    FROM unnest(string_to_array($2, $5), string_to_array($3, ',')) WITH ORDINALITY AS g (uri, kind, place)
), added AS (
    INSERT INTO thing (key, uri, kind, first_month)
    SELECT key, uri, kind, $4 FROM given ORDER BY key
    ON CONFLICT (key) DO NOTHING
    RETURNING key
)
SELECT given.key FROM given WHERE NOT EXISTS (SELECT FROM added WHERE added.key = given.key)
