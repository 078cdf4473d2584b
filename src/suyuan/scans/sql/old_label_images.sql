-- Days before one of which images are kept.
SELECT DISTINCT day, subject_id FROM label_image WHERE day < $1 ORDER BY day
