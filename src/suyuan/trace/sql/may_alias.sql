-- Whether the party that says one thing has two names issued one of the names, or was the first to commission
-- one of them. Anybody else's word must not merge two items.
SELECT EXISTS (
    SELECT FROM event AS said
    JOIN LATERAL (
        SELECT DISTINCT ON (i.key) e.party_id
        FROM thing_event AS i
        JOIN event AS e ON e.event_key = i.event_key
        WHERE i.key = ANY ($2::bytea[]) AND i.role IN (1, 5) AND e.declaration = ''::bytea
          AND e.biz_step = 'https://ref.gs1.org/cbv/BizStep-commissioning'
        ORDER BY i.key, e.event_time, e.content_hash
    ) AS first ON first.party_id = said.party_id
    WHERE said.event_key = $1
) OR EXISTS (
    SELECT FROM event AS said
    JOIN code_batch AS b ON b.issued_by = said.party_id
    JOIN code AS c ON c.batch_id = b.batch_id
    JOIN unnest($3::text[], $4::text[]) AS named (gtin, serial) ON named.gtin = c.gtin AND named.serial = c.serial
    WHERE said.event_key = $1
)
