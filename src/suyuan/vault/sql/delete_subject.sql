DELETE FROM vault_subject
WHERE subject_id = decode($1::text, 'hex')
  AND created_at <= (SELECT max(erased_at) FROM erasure_journal WHERE kind = 'subject' AND reference = $1)
RETURNING subject_id
