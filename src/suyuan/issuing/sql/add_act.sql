INSERT INTO code_act (act, gtin, lot, ledger_item, facility, count, reason, party_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING act_id, acted_at
