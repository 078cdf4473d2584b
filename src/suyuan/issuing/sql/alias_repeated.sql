DELETE FROM alias_row WHERE line = ANY ($1::integer[])
