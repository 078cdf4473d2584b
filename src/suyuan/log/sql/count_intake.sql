SELECT count(*) FROM intake
