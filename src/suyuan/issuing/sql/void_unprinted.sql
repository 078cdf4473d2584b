-- Every code of a batch on which nothing was ever done becomes voided, in the caller's transaction and locks.
WITH fresh AS MATERIALIZED (
    SELECT c.serial
    FROM code AS c
    WHERE c.batch_id = $1
      AND NOT EXISTS (SELECT FROM code_state AS s WHERE s.gtin = c.gtin AND s.serial = c.serial)
), act AS (
    INSERT INTO code_act (act, gtin, lot, facility, count, reason, party_id)
    SELECT 'voided', $2, $3, $4, n.count, $5, $6 FROM (SELECT count(*)::integer AS count FROM fresh) AS n WHERE n.count > 0
    RETURNING act_id, count, acted_at
), done AS (
    INSERT INTO code_state (gtin, serial, act, act_id)
    SELECT $2, fresh.serial, 'voided', act.act_id FROM fresh CROSS JOIN act ORDER BY fresh.serial
)
SELECT act_id, count, acted_at FROM act
