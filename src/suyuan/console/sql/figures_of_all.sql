SELECT
    NULL::bigint AS papers,
    (SELECT coalesce(sum(count), 0) FROM code_batch)::bigint AS issued,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE act = 'printed')::bigint AS printed,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE act = 'activated')::bigint AS activated,
    (SELECT coalesce(sum(count), 0) FROM code_act WHERE act = 'voided')::bigint AS voided
