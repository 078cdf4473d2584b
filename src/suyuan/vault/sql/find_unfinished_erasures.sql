-- Subjects that the journal names and that are still there from before. A reference is decoded only where it is a
-- subject's, so that the primary key is used and nothing else is taken for hexadecimal.
WITH erased AS (
    SELECT reference, erased_at, CASE WHEN kind = 'subject' THEN decode(reference, 'hex') END AS subject_id
    FROM erasure_journal
)
SELECT e.reference
FROM erased AS e
JOIN vault_subject AS v ON v.subject_id = e.subject_id AND v.created_at <= e.erased_at
UNION
SELECT e.reference
FROM erased AS e
JOIN vault_number AS n ON n.subject_id = e.subject_id AND n.created_at <= e.erased_at
ORDER BY 1
