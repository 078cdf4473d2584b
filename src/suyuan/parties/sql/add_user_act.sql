INSERT INTO user_act (act, user_id, party_id, actor_id, network, detail)
VALUES ($1, $2, coalesce($3, (SELECT party_id FROM user_account WHERE user_id = $2)), $4, $5, $6)
