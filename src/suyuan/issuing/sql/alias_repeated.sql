-- Rows that this party said before and did not take back need not be said again.
WITH said AS MATERIALIZED (
    SELECT r.line
    FROM alias_row AS r
    JOIN thing_event AS i ON i.key = r.code_key AND i.role = 1
    JOIN event AS e ON e.event_key = i.event_key
    JOIN thing_event AS other ON other.event_key = i.event_key AND other.key = r.item_key AND other.role = 1
        AND other.record_month = i.record_month
    WHERE e.party_id = $1 AND e.declaration = ''::bytea AND e.biz_step = 'urn:suyuan:bizstep:aliasing'
      AND NOT EXISTS (
          SELECT FROM event AS w
          WHERE w.event_id_key = e.event_id_key AND w.party_id = e.party_id AND w.declaration <> ''::bytea
      )
)
DELETE FROM alias_row WHERE line IN (SELECT line FROM said)
