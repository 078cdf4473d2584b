-- Enrolments that the erasure journal names and that were made before it did, of all labels or of some references; the
-- worker finishes what was broken off. A GTIN has 14 digits, a track one letter.
WITH erased AS (
    SELECT substr(reference, 1, 14) AS gtin, substr(reference, 16, 1) AS track, substr(reference, 18) AS serial,
           max(erased_at) AS erased_at
    FROM erasure_journal
    WHERE kind = 'label' AND ($1::text[] IS NULL OR reference = ANY ($1))
    GROUP BY reference
)
SELECT e.enrolment_id
FROM erased AS j
JOIN label_enrolment AS e
  ON e.gtin = j.gtin AND e.serial = j.serial AND e.track = j.track AND e.enrolled_at <= j.erased_at
ORDER BY e.enrolment_id
