DELETE FROM label_nonce WHERE used_at < now() - interval '1 day'
