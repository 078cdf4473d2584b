DELETE FROM scan_attempt WHERE since < now() - interval '1 day'
