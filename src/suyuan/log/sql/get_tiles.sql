SELECT t.level, t.n, t.root_hash, t.hashes
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, n)
JOIN log_tile t ON t.level = wanted.level AND t.n = wanted.n
