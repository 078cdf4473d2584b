SELECT line, code, thing, item FROM alias_row WHERE line > $1 ORDER BY line LIMIT $2
