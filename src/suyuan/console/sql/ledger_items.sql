-- Items of one ledger, by the range of keys that all ledger items share; at most $4 rows of it are looked at.
SELECT uri
FROM (SELECT uri FROM thing WHERE key >= $1 AND key < $2 LIMIT $4) AS near
WHERE starts_with(uri, $3)
ORDER BY uri
LIMIT 20
