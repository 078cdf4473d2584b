INSERT INTO label_enrolment (gtin, serial, track, method, uri, party_id, event_key, images)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING enrolment_id, enrolled_at
