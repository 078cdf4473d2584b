INSERT INTO erasure_journal (kind, reference, party_id, reason, erased_at)
SELECT kind, reference, party_id, reason, erased_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    AS entry (kind, reference, party_id, reason, erased_at)
ORDER BY erased_at
ON CONFLICT (kind, reference, erased_at) DO NOTHING
