SELECT reveal_id, subject_id, party_id, actor, reason, revealed_at
FROM vault_reveal
WHERE ($1::bytea IS NULL OR subject_id = $1) AND ($2::bigint IS NULL OR reveal_id < $2)
ORDER BY reveal_id DESC
LIMIT $3
