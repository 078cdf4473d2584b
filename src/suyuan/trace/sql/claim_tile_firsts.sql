SELECT n, first FROM event_claim_tile WHERE event_key = $1 AND level = 0 ORDER BY n
