WITH act AS (
    INSERT INTO code_act (act, gtin, lot, count, reason, party_id) VALUES ('printed', $1, $2, 1, $3, $4)
    RETURNING act_id
)
INSERT INTO code_state (gtin, serial, act, act_id) SELECT $1, $5, 'printed', act.act_id FROM act
