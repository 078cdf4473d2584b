-- The sealed fields of one paper under a path; what was sealed whole is no field.
SELECT path, category, subject_id, sealed
FROM evidence_part
WHERE evidence_id = $1 AND category <> 'whole' AND starts_with(path, $2)
ORDER BY start_at
LIMIT $3
