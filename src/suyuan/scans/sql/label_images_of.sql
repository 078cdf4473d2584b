-- Checks of some enrolments that have images, with how many.
SELECT i.scan_id, count(*) AS images
FROM label_check AS c
JOIN label_image AS i ON i.scan_id = c.scan_id
WHERE c.enrolment_id = ANY ($1::bigint[])
GROUP BY i.scan_id
