SELECT user_id, role, disabled_at
FROM user_account
WHERE party_id = $1
ORDER BY user_id
FOR UPDATE
