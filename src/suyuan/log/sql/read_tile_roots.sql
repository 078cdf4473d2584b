SELECT root_hash
FROM log_tile
WHERE level = $1::smallint AND n >= $2 AND n < $3
ORDER BY n
