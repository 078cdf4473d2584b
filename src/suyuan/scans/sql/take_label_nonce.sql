-- One row for each nonce, whoever comes at the same moment; no row where it served before.
INSERT INTO label_nonce (digest) VALUES ($1) ON CONFLICT DO NOTHING RETURNING digest
