SELECT a.act_id, a.act, a.acted_at, a.network, a.detail, u.user_name, c.user_name AS actor_name
FROM user_act a
LEFT JOIN user_account u ON u.user_id = a.user_id
LEFT JOIN user_account c ON c.user_id = a.actor_id
WHERE ($1::text IS NULL OR a.party_id = $1) AND ($2::text IS NULL OR a.user_id = $2)
  AND ($3::bigint IS NULL OR a.act_id < $3)
ORDER BY a.act_id DESC
LIMIT $4
