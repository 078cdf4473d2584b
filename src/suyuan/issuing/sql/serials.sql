SELECT ordinal, serial FROM code WHERE batch_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3
