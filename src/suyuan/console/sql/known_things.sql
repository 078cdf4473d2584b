-- Those of these things that any event names.
SELECT key, uri, kind, first_month FROM thing WHERE key = ANY ($1::bytea[])
