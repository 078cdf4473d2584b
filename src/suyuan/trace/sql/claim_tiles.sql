SELECT t.level, t.n, t.hashes
FROM unnest($2::smallint[], $3::integer[]) AS wanted (level, n)
JOIN event_claim_tile AS t ON t.event_key = $1 AND t.level = wanted.level AND t.n = wanted.n
