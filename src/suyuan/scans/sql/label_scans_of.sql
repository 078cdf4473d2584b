-- Checks of a code's label so far, and the last of them.
SELECT s.result, count(*) AS count, max(s.scanned_at) AS last_at
FROM scan AS s
WHERE s.gtin = $1 AND s.serial = $2 AND s.kind = 'label'
GROUP BY s.result
