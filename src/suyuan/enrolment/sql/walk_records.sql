-- Enrolments in order, each with its record and its event, and whether the journal says that the record was erased.
SELECT e.enrolment_id, e.gtin, e.serial, e.track, r.salt, r.record, p.body, v.event_key IS NOT NULL AS has_event,
       EXISTS (
           SELECT FROM erasure_journal AS j
           WHERE j.kind = 'label' AND j.reference = e.gtin || '/' || e.track || '/' || e.serial
             AND j.erased_at >= e.enrolled_at
       ) AS erased
FROM label_enrolment AS e
LEFT JOIN label_record AS r ON r.enrolment_id = e.enrolment_id
LEFT JOIN event AS v ON v.event_key = e.event_key
LEFT JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.enrolment_id > $1
ORDER BY e.enrolment_id
LIMIT $2
