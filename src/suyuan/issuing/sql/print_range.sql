-- Codes of a batch by their ordinals become printed, in the caller's transaction and locks.
WITH wanted AS MATERIALIZED (
    SELECT c.serial
    FROM code AS c
    WHERE c.batch_id = $1 AND c.ordinal BETWEEN $7 AND $8
      AND NOT EXISTS (
          SELECT FROM code_state AS s WHERE s.gtin = c.gtin AND s.serial = c.serial AND s.act = 'printed'
      )
), act AS (
    INSERT INTO code_act (act, gtin, lot, facility, count, reason, party_id)
    SELECT 'printed', $2, $3, $4, n.count, $5, $6
    FROM (SELECT count(*)::integer AS count FROM wanted) AS n WHERE n.count > 0
    RETURNING act_id, count, acted_at
), done AS (
    INSERT INTO code_state (gtin, serial, act, act_id)
    SELECT $2, wanted.serial, 'printed', act.act_id FROM wanted CROSS JOIN act ORDER BY wanted.serial
)
SELECT act_id, count, acted_at FROM act
