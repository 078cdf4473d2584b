SELECT DISTINCT ON (gtin) gtin, attributes
FROM product
WHERE gtin > $1
ORDER BY gtin, recorded_at DESC
LIMIT $2
