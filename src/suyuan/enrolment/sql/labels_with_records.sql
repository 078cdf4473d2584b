-- Tracks of a code that have a record, counting or superseded.
SELECT DISTINCT e.track
FROM label_enrolment AS e
JOIN label_record AS r ON r.enrolment_id = e.enrolment_id
WHERE e.gtin = $1 AND e.serial = $2
ORDER BY e.track
