-- Who recorded the newest version of these places.
SELECT DISTINCT ON (uri) uri, recorded_by FROM place WHERE uri = ANY ($1::text[]) ORDER BY uri, recorded_at DESC
