-- Whether a key stands for two things; the month is noted for things that were known in an earlier one.
WITH noted AS (
    INSERT INTO thing_period (key, month)
    SELECT DISTINCT thing.key, $1::date FROM gathered_thing JOIN thing USING (key)
    WHERE thing.first_month <> $1::date
    ORDER BY thing.key
    ON CONFLICT DO NOTHING
)
SELECT EXISTS (
    SELECT FROM gathered_thing AS given JOIN thing USING (key) WHERE thing.uri <> given.uri
)
