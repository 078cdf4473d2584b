INSERT INTO activation_lock (gtin, lot, ledger_item, facility) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
