SELECT 1 FROM activation_lock
WHERE gtin = $1 AND lot = $2 AND ledger_item = $3 AND facility = $4
FOR UPDATE
