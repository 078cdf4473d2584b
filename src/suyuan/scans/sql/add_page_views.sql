-- In the order of the key, so that two processes that count the same pages wait for each other and do not deadlock.
INSERT INTO page_view (gtin, serial, day, views)
SELECT v.gtin, v.serial, ((clock_timestamp() AT TIME ZONE 'UTC') + interval '8 hours')::date, v.views
FROM unnest($1::text[], $2::text[], $3::integer[]) AS v (gtin, serial, views)
ORDER BY v.gtin, v.serial
ON CONFLICT (gtin, serial, day) DO UPDATE SET views = page_view.views + excluded.views
