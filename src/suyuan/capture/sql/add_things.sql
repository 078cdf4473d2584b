-- Sorted by key, so that concurrent captures of the same things wait for each other in one order.
WITH given AS (
    SELECT key, uri, kind FROM unnest($1::bytea[], $2::text[], $3::text[]) AS g (key, uri, kind)
), added AS (
    INSERT INTO thing (key, uri, kind, first_month)
    SELECT key, uri, kind, $4 FROM given ORDER BY key
    ON CONFLICT (key) DO NOTHING
    RETURNING key
)
SELECT given.key FROM given WHERE NOT EXISTS (SELECT FROM added WHERE added.key = given.key)
