UPDATE alias_row SET taken = true WHERE line = ANY ($1::integer[])
