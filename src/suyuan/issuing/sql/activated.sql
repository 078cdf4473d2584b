SELECT COALESCE(sum(count), 0)::bigint
FROM code_act
WHERE act = 'activated' AND gtin = $1 AND lot = $2
  AND ($3 = '' OR ledger_item IN ($3, '')) AND ($4 = '' OR facility IN ($4, ''))
