SELECT event_key, body FROM event_payload WHERE event_key = ANY ($1::bigint[])
