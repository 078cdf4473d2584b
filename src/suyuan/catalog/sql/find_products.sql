SELECT DISTINCT ON (gtin) gtin, attributes
FROM product
WHERE gtin = ANY ($1::text[])
ORDER BY gtin, recorded_at DESC
