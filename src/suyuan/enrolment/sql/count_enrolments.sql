SELECT count(*) FROM label_enrolment
