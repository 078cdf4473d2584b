SELECT subject_id, sealed
FROM vault_number
WHERE pseudonym = $1
