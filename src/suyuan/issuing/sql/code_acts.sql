-- What was done to one code, by whom, when and where, the oldest first.
SELECT a.act_id, a.act, a.acted_at, a.party_id, a.facility, a.ledger_item, a.reason
FROM code_state AS s
JOIN code_act AS a ON a.act_id = s.act_id
WHERE s.gtin = $1 AND s.serial = $2
ORDER BY a.act_id
