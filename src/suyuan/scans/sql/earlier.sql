-- Verifications of a code so far, with when and where the first was.
SELECT count(*) AS count,
       min(scanned_at) FILTER (WHERE result = 'first') AS first_at,
       COALESCE(min(place) FILTER (WHERE result = 'first'), '') AS place
FROM scan
WHERE gtin = $1 AND serial = $2 AND kind = 'scratch' AND result IN ('first', 'repeated')
