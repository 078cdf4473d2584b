SELECT nextval('event_key_seq') FROM generate_series(1, $1)
