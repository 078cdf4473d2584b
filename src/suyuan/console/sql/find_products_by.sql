-- Products by a part of a name, newest versions; $1 as a pattern.
SELECT gtin, attributes
FROM (SELECT DISTINCT ON (gtin) gtin, attributes FROM product ORDER BY gtin, recorded_at DESC) AS newest
WHERE attributes ->> 'name_en' ILIKE $1 OR attributes ->> 'name_zh' ILIKE $1
   OR attributes ->> 'brand_en' ILIKE $1 OR attributes ->> 'brand_zh' ILIKE $1
ORDER BY gtin
LIMIT 12
