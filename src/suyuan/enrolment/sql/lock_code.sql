-- One enrolment of a code at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('label ' || $1::text || '/' || $2::text, 0))
