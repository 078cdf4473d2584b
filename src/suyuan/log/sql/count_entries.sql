SELECT coalesce(max(log_index) + 1, 0) FROM log_entry
