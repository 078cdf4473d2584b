INSERT INTO erasure_journal (kind, reference, party_id, reason)
VALUES ($1, $2, $3, $4)
RETURNING kind, reference, party_id, reason, erased_at
