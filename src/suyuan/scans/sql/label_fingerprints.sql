-- Fingerprints of captures of a code that matched, the newest first.
SELECT k.fingerprint
FROM scan AS s
JOIN label_check AS k ON k.scan_id = s.scan_id
WHERE s.gtin = $1 AND s.serial = $2 AND s.kind = 'label' AND s.result = 'matches' AND k.fingerprint <> ''::bytea
ORDER BY s.scanned_at DESC
LIMIT 1000
