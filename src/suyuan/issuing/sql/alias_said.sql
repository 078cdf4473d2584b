-- What standing aliases say of the codes: who says it, and the event that names the other thing. From rows to events by
-- their keys alone; a code that was never seen costs one look.
SELECT r.line, r.thing, r.item, e.party_id, p.body
FROM alias_row AS r
JOIN thing AS t ON t.key = r.code_key
JOIN thing_event AS i ON i.key = t.key AND i.role = 1
JOIN event AS e ON e.event_key = i.event_key
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.biz_step = 'urn:suyuan:bizstep:aliasing' AND e.declaration = ''::bytea
  AND NOT EXISTS (
      SELECT FROM event AS w
      WHERE w.event_id_key = e.event_id_key AND w.party_id = e.party_id AND w.declaration <> ''::bytea
  )
