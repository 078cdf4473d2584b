SELECT j.reference
FROM erasure_journal j
JOIN vault_subject v ON encode(v.subject_id, 'hex') = j.reference AND v.created_at <= j.erased_at
WHERE j.kind = 'subject'
UNION
SELECT j.reference
FROM erasure_journal j
JOIN vault_number n ON encode(n.subject_id, 'hex') = j.reference AND n.created_at <= j.erased_at
WHERE j.kind = 'subject'
ORDER BY 1
