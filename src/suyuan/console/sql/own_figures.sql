SELECT
    (SELECT count(*) FROM evidence WHERE party_id = $1 AND received_at > now() - interval '30 days') AS papers,
    (SELECT coalesce(sum(count), 0) FROM code_batch WHERE issued_by = $1)::bigint AS issued,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE party_id = $1 AND act = 'printed')::bigint AS printed,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE party_id = $1 AND act = 'activated')::bigint AS activated,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE party_id = $1 AND act = 'voided')::bigint AS voided
