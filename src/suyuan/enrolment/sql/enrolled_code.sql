-- What enrolling needs to know of a code that was issued here: its batch, whether it is voided, and the newest
-- enrolment of a track that its party did not take back and whose record was not erased.
SELECT b.batch_id, b.issued_by, b.epoch, b.pattern_key,
       EXISTS (SELECT FROM code_state AS s WHERE s.gtin = $1 AND s.serial = $2 AND s.act = 'voided') AS voided,
       e.enrolment_id, e.party_id, e.images, e.enrolled_at, e.method, e.uri
FROM code AS c
JOIN code_batch AS b ON b.batch_id = c.batch_id
LEFT JOIN LATERAL (
    SELECT n.enrolment_id, n.party_id, n.images, n.enrolled_at, n.method, n.uri
    FROM label_enrolment AS n
    JOIN event AS v ON v.event_key = n.event_key
    WHERE n.gtin = $1 AND n.serial = $2 AND n.track = $3
      AND EXISTS (SELECT FROM label_record AS r WHERE r.enrolment_id = n.enrolment_id)
      AND NOT EXISTS (
          SELECT FROM event AS w
          WHERE w.event_id_key = v.event_id_key AND w.party_id = v.party_id AND w.declaration <> ''::bytea
      )
    ORDER BY n.enrolment_id DESC
    LIMIT 1
) AS e ON true
WHERE c.gtin = $1 AND c.serial = $2
