SELECT key, uri, kind FROM thing WHERE key = ANY ($1::bytea[])
