DELETE FROM label_record WHERE enrolment_id = ANY ($1::bigint[]) RETURNING enrolment_id
