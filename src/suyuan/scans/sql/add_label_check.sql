INSERT INTO label_check (scan_id, enrolment_id, score, threshold, reasons, quality, fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7)
