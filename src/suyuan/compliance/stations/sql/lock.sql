-- Held until the transaction ends, taken in one order: two stations never act on one thing at the same moment.
SELECT pg_advisory_xact_lock(wanted.number)
FROM (SELECT DISTINCT number FROM unnest($1::bigint[]) AS given (number) ORDER BY number) AS wanted
