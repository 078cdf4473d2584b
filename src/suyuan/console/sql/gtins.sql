-- GTINs that the catalogue knows or codes were issued for, at most $1.
SELECT gtin FROM product
UNION
SELECT gtin FROM code_batch
ORDER BY gtin
LIMIT $1
