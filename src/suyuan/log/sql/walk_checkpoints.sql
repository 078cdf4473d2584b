SELECT tree_size, previous_size, root_hash, note
FROM log_checkpoint
WHERE tree_size > $1
ORDER BY tree_size
LIMIT $2
