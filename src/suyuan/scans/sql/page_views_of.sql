SELECT COALESCE(sum(views), 0)::bigint AS views, count(*) AS days, min(day) AS first_on, max(day) AS last_on
FROM page_view
WHERE gtin = $1 AND serial = $2
