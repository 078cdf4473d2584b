SELECT event_key, body, statement, secret FROM event_payload WHERE event_key = ANY ($1::bigint[])
