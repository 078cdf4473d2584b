-- The newest enrolment of each track of a code, without its record. One whose event its party took back, or whose
-- record was erased, counts no more.
SELECT DISTINCT ON (e.track)
       e.enrolment_id, e.track, e.method, e.uri, e.party_id, e.event_key, e.enrolled_at, b.epoch, b.pattern_key,
       EXISTS (SELECT FROM code_state AS s WHERE s.gtin = $1 AND s.serial = $2 AND s.act = 'voided') AS voided
FROM label_enrolment AS e
JOIN code AS c ON c.gtin = e.gtin AND c.serial = e.serial
JOIN code_batch AS b ON b.batch_id = c.batch_id
JOIN event AS v ON v.event_key = e.event_key
WHERE e.gtin = $1 AND e.serial = $2
  AND EXISTS (SELECT FROM label_record AS r WHERE r.enrolment_id = e.enrolment_id)
  AND NOT EXISTS (
      SELECT FROM event AS w
      WHERE w.event_id_key = v.event_id_key AND w.party_id = v.party_id AND w.declaration <> ''::bytea
  )
ORDER BY e.track, e.enrolment_id DESC
