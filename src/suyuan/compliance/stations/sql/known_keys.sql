SELECT key FROM thing WHERE key = ANY ($1::bytea[])
