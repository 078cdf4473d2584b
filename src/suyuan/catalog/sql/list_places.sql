SELECT DISTINCT ON (uri) uri, attributes
FROM place
WHERE uri > $1
ORDER BY uri, recorded_at DESC
LIMIT $2
