SELECT count(*) FILTER (WHERE result IN ('first', 'repeated')) AS verified,
       min(scanned_at) FILTER (WHERE result = 'first') AS verified_at,
       count(*) FILTER (WHERE result = 'wrong') AS failed
FROM scan
WHERE gtin = $1 AND serial = $2 AND kind = 'scratch'
