SELECT event_key, field, chunk, elements FROM event_list WHERE event_key = ANY ($1::bigint[]) ORDER BY event_key, field, chunk
