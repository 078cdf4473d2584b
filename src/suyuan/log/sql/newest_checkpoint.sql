SELECT tree_size, previous_size, root_hash, note, signed_at
FROM log_checkpoint
ORDER BY tree_size DESC
LIMIT 1
