SELECT ordinal, serial FROM code WHERE batch_id = $1 AND ordinal BETWEEN $2 AND $3 ORDER BY ordinal
