SELECT event_key, commitment
FROM event
WHERE event_key > $1
ORDER BY event_key
LIMIT $2
