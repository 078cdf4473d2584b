UPDATE log_head SET next_index = $1
