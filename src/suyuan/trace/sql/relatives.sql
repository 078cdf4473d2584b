-- Events with equal content from whomever, and events under the same ID: corroborations, conflicts, declarations.
-- The declaration of an event has its content, so those of equal events are among them.
SELECT e.event_key, e.event_id_key, e.content_hash, e.party_id, e.role, e.assurance, e.event_time, e.record_time,
       e.declaration, e.declaration <> ''::bytea AS declared, p.body
FROM event AS e
LEFT JOIN event_payload AS p ON p.event_key = e.event_key AND e.declaration <> ''::bytea
WHERE e.content_hash = ANY ($1::bytea[]) OR e.event_id_key = ANY ($2::bytea[])
