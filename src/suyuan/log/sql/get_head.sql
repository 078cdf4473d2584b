SELECT next_index FROM log_head
