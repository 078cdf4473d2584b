-- The code that an earlier request with the same mark drew, which stands behind the mark. A request is sent again
-- within a day or not at all.
SELECT c.serial, c.batch_id
FROM code_act AS a
JOIN code AS c ON c.gtin = a.gtin AND c.serial = substring(a.reason FROM length($4) + 1)
WHERE a.gtin = $1 AND a.lot = $2 AND a.act = 'printed' AND a.party_id = $3
  AND a.acted_at > now() - interval '1 day' AND starts_with(a.reason, $4)
