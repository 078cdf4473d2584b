SELECT event_id_key, declaration, event_key, content_hash
FROM event
WHERE party_id = $1 AND event_id_key = ANY ($2::bytea[])
