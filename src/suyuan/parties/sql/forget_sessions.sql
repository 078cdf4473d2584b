-- The last full session of a user stays: it says when the person was last here.
DELETE FROM user_session AS s
WHERE coalesce(s.ended_at, s.expires_at) < clock_timestamp() - make_interval(secs => $1)
  AND (s.stage = 'password'
       OR EXISTS (SELECT FROM user_session AS n
                  WHERE n.user_id = s.user_id AND n.stage = 'full' AND n.seen_at > s.seen_at))
