SELECT session_id, device, network, created_at, seen_at, expires_at
FROM user_session
WHERE user_id = $1 AND stage = 'full' AND ended_at IS NULL
  AND expires_at > clock_timestamp() AND seen_at > clock_timestamp() - make_interval(secs => $2)
ORDER BY seen_at DESC, session_id
