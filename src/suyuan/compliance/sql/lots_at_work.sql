-- Lots of a GTIN that events name as a class of goods (their keys lie between $1 and $2).
SELECT t.uri FROM thing AS t
WHERE t.key BETWEEN $1 AND $2 AND position('/10/' IN t.uri) = 37
ORDER BY t.uri
LIMIT $3
