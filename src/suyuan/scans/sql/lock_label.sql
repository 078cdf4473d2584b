-- Two captures of one label are compared with each other too, whoever comes at the same moment.
SELECT pg_advisory_xact_lock(hashtextextended('label check ' || $1::text || '/' || $2::text, 0))
