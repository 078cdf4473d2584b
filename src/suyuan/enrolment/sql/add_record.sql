INSERT INTO label_record (enrolment_id, salt, record) VALUES ($1, $2, $3)
