-- Whether the party that says one thing has two names issued one of the names, or was the first to commission one
-- of them. Of a code that was issued here only its issuer counts: anybody can date a commissioning back. Anybody
-- else's word must not merge two items.
WITH named AS (
    SELECT n.key, b.issued_by
    FROM unnest($2::bytea[], $3::text[], $4::text[]) AS n (key, gtin, serial)
    LEFT JOIN code AS c ON c.gtin = n.gtin AND c.serial = n.serial
    LEFT JOIN code_batch AS b ON b.batch_id = c.batch_id
), first AS (
    SELECT DISTINCT ON (i.key) e.party_id
    FROM named AS n
    JOIN thing_event AS i ON i.key = n.key AND i.role IN (1, 5)
    JOIN event AS e ON e.event_key = i.event_key
    WHERE n.issued_by IS NULL AND e.declaration = ''::bytea
      AND e.biz_step = 'https://ref.gs1.org/cbv/BizStep-commissioning'
    ORDER BY i.key, e.event_time, e.content_hash
)
SELECT EXISTS (
    SELECT FROM event AS said
    WHERE said.event_key = $1
      AND (said.party_id IN (SELECT issued_by FROM named) OR said.party_id IN (SELECT party_id FROM first))
)
