SELECT kind, reference, party_id, reason, erased_at
FROM erasure_journal
ORDER BY erased_at, erasure_id
