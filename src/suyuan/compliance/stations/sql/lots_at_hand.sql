-- Lots of a GTIN with codes here, the newest first, whose codes this party may put on goods: it issued them, or a
-- report of its own says that it has goods of the lot.
SELECT b.lot
FROM (SELECT lot, max(batch_id) AS newest, bool_or(issued_by = $2) AS own
      FROM code_batch WHERE gtin = $1 GROUP BY lot) AS b
JOIN unnest($3::text[], $4::bytea[]) AS named (lot, key) ON named.lot = b.lot
WHERE b.own OR EXISTS (
    SELECT FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = named.key
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = named.key
    ) AS searched
    JOIN thing_event AS i ON i.key = named.key AND i.record_month = searched.month AND i.role = 6
    JOIN event AS e ON e.event_key = i.event_key AND e.declaration = ''::bytea
    WHERE e.party_id = $2 AND e.biz_step = ANY ($5::text[])
)
ORDER BY b.newest DESC
LIMIT 20
