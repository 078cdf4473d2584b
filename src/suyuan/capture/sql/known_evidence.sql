SELECT identity FROM evidence WHERE identity = ANY ($1::bytea[])
