INSERT INTO label_image (scan_id, position, day, subject_id, sealed) VALUES ($1, $2, $3, $4, $5)
