SELECT count(*) FROM log_tile
