DELETE FROM sign_in_attempt
WHERE attempted_at < clock_timestamp() - make_interval(secs => $1)
