-- Some of the chunks of one long list of an event.
SELECT chunk, elements
FROM event_list
WHERE event_key = $1 AND field = $2 AND chunk BETWEEN $3 AND $4
ORDER BY chunk
