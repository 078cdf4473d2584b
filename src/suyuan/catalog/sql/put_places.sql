INSERT INTO place (uri, recorded_by, attributes)
SELECT fresh.uri, $3, fresh.attributes::jsonb
FROM unnest($1::text[], $2::text[]) AS fresh (uri, attributes)
WHERE fresh.attributes::jsonb IS DISTINCT FROM (
    SELECT known.attributes
    FROM place known
    WHERE known.uri = fresh.uri
    ORDER BY known.recorded_at DESC
    LIMIT 1)
ORDER BY fresh.uri
RETURNING uri
