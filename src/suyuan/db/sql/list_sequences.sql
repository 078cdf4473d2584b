-- Every sequence of this schema and the last value that it gave; those that gave none yet are left out.
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS qualified, sequencename AS name, last_value
FROM pg_sequences
WHERE schemaname = current_schema() AND last_value IS NOT NULL
ORDER BY sequencename
