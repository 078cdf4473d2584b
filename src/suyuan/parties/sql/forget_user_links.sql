DELETE FROM user_link
WHERE coalesce(used_at, expires_at) < clock_timestamp() - make_interval(secs => $1)
