-- How many index rows the things of a walk got since a month began. Rows are never changed or deleted, so an equal
-- count means that nothing new was said of any of them. A bridge counts for its links alone.
SELECT count(*)
FROM unnest($1::bytea[], $2::boolean[]) AS wanted (key, bridge)
JOIN thing_event AS i ON i.key = wanted.key
WHERE i.record_month >= $3 AND (i.role = 9 OR NOT wanted.bridge)
