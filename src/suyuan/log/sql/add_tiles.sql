-- A tile that is there stays: whoever computed it computed it from the same rows.
INSERT INTO log_tile (level, n, root_hash, hashes)
SELECT $1::smallint, n, root_hash, hashes
FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) AS fresh (n, root_hash, hashes)
ORDER BY n
ON CONFLICT (level, n) DO NOTHING
