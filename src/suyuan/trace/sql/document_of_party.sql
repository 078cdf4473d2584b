-- Whether a standing event of this party names the document, as paper, parcel or content.
SELECT EXISTS (
    SELECT
    FROM (
        SELECT thing.first_month AS month FROM thing WHERE thing.key = $1
        UNION ALL
        SELECT thing_period.month FROM thing_period WHERE thing_period.key = $1
    ) AS probe
    CROSS JOIN LATERAL (
        SELECT i.event_key FROM thing_event AS i
        WHERE i.key = $1 AND i.record_month = probe.month AND i.role IN (1, 2, 3, 7)
    ) AS found
    JOIN event AS e ON e.event_key = found.event_key
    WHERE e.party_id = $2 AND e.declaration = ''::bytea
)
