SELECT pg_advisory_xact_lock(hashtextextended('draw ' || $1::text, 0))
