-- Checks of a code's label so far, by what they came to.
SELECT s.result, count(*) AS count
FROM scan AS s
WHERE s.gtin = $1 AND s.serial = $2 AND s.kind = 'label'
GROUP BY s.result
