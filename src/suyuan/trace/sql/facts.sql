-- accompanied: there are other events of its content or under its ID.
SELECT e.event_key, e.party_id, e.event_id, e.event_id_key, e.content_hash, e.event_type, e.action, e.event_time,
       e.zone_offset, e.day_precision, e.record_time, e.biz_step, e.disposition, e.read_point, e.biz_location,
       e.assurance, e.role, e.stated_by, e.rule, e.commitment, e.claim_count, p.statement, p.secret,
       v.kind AS message, v.capture_id, l.log_index, l.leaf,
       EXISTS (
           SELECT FROM event AS d
           WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
       ) AS withdrawn,
       EXISTS (SELECT FROM event AS o WHERE o.content_hash = e.content_hash AND o.event_key <> e.event_key)
       OR EXISTS (SELECT FROM event AS o WHERE o.event_id_key = e.event_id_key AND o.event_key <> e.event_key)
           AS accompanied
FROM event AS e
JOIN evidence AS v ON v.evidence_id = e.evidence_id
LEFT JOIN event_payload AS p ON p.event_key = e.event_key
LEFT JOIN log_entry AS l ON l.event_key = e.event_key
WHERE e.event_key = ANY ($1::bigint[])
