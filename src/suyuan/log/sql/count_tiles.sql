-- By the highest number of each level: tiles are stored without gaps, from the left.
SELECT level, (SELECT max(n) + 1 FROM log_tile t WHERE t.level = levels.level) AS tiles
FROM generate_series(0, 7) AS levels (level)
WHERE EXISTS (SELECT FROM log_tile t WHERE t.level = levels.level)
