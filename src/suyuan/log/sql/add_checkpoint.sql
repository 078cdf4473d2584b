-- Compare and swap: only the first to name a predecessor succeeds, and it names the newest one.
INSERT INTO log_checkpoint (tree_size, previous_size, root_hash, note, signed_at)
SELECT $1::bigint, $2::bigint, $3::bytea, $4::text, $5::timestamptz
WHERE coalesce((SELECT max(tree_size) FROM log_checkpoint), -1) = $2
ON CONFLICT DO NOTHING
RETURNING tree_size
