SELECT (SELECT count(*) FROM intake) AS waiting,
       (SELECT next_index FROM log_head) AS sequenced,
       coalesce((SELECT max(tree_size) FROM log_checkpoint), 0) AS published,
       (SELECT signed_at FROM log_checkpoint ORDER BY tree_size DESC LIMIT 1) AS published_at
