-- The last check of a code's label with its figures.
SELECT s.result, s.scanned_at, k.score, k.threshold, k.reasons, k.quality
FROM scan AS s
JOIN label_check AS k ON k.scan_id = s.scan_id
WHERE s.gtin = $1 AND s.serial = $2 AND s.kind = 'label'
ORDER BY s.scanned_at DESC
LIMIT 1
