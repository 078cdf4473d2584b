INSERT INTO product (gtin, recorded_by, attributes)
SELECT fresh.gtin, $3, fresh.attributes::jsonb
FROM unnest($1::text[], $2::text[]) AS fresh (gtin, attributes)
WHERE fresh.attributes::jsonb IS DISTINCT FROM (
    SELECT known.attributes
    FROM product known
    WHERE known.gtin = fresh.gtin
    ORDER BY known.recorded_at DESC
    LIMIT 1)
ORDER BY fresh.gtin
RETURNING gtin
