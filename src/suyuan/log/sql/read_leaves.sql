SELECT leaf
FROM log_entry
WHERE log_index >= $1 AND log_index < $2
ORDER BY log_index
