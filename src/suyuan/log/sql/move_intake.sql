WITH last AS (
    SELECT max(event_key) AS event_key
    FROM (SELECT event_key FROM intake ORDER BY event_key LIMIT $2) AS first
),
taken AS (
    DELETE FROM intake
    WHERE event_key <= (SELECT event_key FROM last)
    RETURNING event_key, leaf
)
INSERT INTO log_entry (log_index, event_key, leaf)
SELECT $1::bigint + row_number() OVER (ORDER BY event_key) - 1, event_key, leaf
FROM taken
