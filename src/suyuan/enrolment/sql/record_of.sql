-- The record of an enrolment, and the event that the log commits to; what was erased is null.
SELECT r.salt, r.record, p.body, v.commitment
FROM label_enrolment AS e
JOIN event AS v ON v.event_key = e.event_key
LEFT JOIN label_record AS r ON r.enrolment_id = e.enrolment_id
LEFT JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.enrolment_id = $1
