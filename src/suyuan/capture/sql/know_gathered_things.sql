INSERT INTO thing (key, uri, kind, first_month)
SELECT DISTINCT ON (key) key, uri, kind, $1::date FROM gathered_thing ORDER BY key
ON CONFLICT (key) DO NOTHING
