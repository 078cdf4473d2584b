DELETE FROM page_view WHERE day < ((clock_timestamp() AT TIME ZONE 'UTC') + interval '8 hours')::date - $1::integer
