-- Rows that are not said already, by this party and not taken back, in their order.
SELECT r.line, r.code, r.thing, r.item
FROM alias_row AS r
WHERE r.line > $2
  AND NOT EXISTS (
      SELECT FROM thing_event AS i
      JOIN event AS e ON e.event_key = i.event_key
      JOIN thing_event AS other ON other.event_key = e.event_key AND other.key = r.item_key AND other.role = 1
          AND other.record_month = i.record_month
      WHERE i.key = r.code_key AND i.role = 1 AND e.party_id = $1 AND e.declaration = ''::bytea
        AND e.biz_step = 'urn:suyuan:bizstep:aliasing'
        AND NOT EXISTS (
            SELECT FROM event AS w
            WHERE w.event_id_key = e.event_id_key AND w.party_id = e.party_id AND w.declaration <> ''::bytea
        )
  )
ORDER BY r.line
LIMIT $3
