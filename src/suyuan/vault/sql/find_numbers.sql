-- Names under which a number of this kind is kept, whoever issued it. All names under one stem have one form, so that
-- these bounds hold them in every collation.
SELECT pseudonym AS name, subject_id
FROM vault_number
WHERE pseudonym BETWEEN $1 || repeat('2', 52) AND $1 || repeat('z', 52) AND starts_with(pseudonym, $1)
ORDER BY pseudonym
LIMIT $2
