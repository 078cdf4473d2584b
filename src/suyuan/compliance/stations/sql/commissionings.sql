-- The commissioning of items whose codes were not issued here, for the lot that it names.
SELECT wanted.key, p.body
FROM unnest($1::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT t.event_key
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = wanted.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = wanted.key
    ) AS searched
    JOIN thing_event AS t ON t.key = wanted.key AND t.record_month = searched.month AND t.role = 1 AND t.action = 1
    JOIN event AS e ON e.event_key = t.event_key AND e.declaration = ''::bytea
    WHERE e.biz_step = 'https://ref.gs1.org/cbv/BizStep-commissioning'
    ORDER BY t.event_time, t.event_key
    LIMIT 1
) AS first
JOIN event_payload AS p ON p.event_key = first.event_key
