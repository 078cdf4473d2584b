SELECT DISTINCT ON (uri) uri, attributes
FROM place
WHERE uri = ANY ($1::text[])
ORDER BY uri, recorded_at DESC
