SELECT party_id, event_id_key, declaration, event_key, content_hash
FROM event
WHERE party_id = ANY ($1::text[]) AND event_id_key = ANY ($2::bytea[])
