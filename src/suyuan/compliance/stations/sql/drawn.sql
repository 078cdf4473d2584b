-- Codes of a GTIN whose labels a party drew one by one, and that are neither active nor voided.
SELECT $1::text AS gtin, a.lot, s.serial
FROM code_state AS s
JOIN code_act AS a ON a.act_id = s.act_id
WHERE s.gtin = $1 AND s.serial = ANY ($2::text[]) AND s.act = 'printed' AND a.party_id = $3
  AND starts_with(a.reason, 'draw ')
  AND NOT EXISTS (
      SELECT FROM code_state AS later
      WHERE later.gtin = s.gtin AND later.serial = s.serial AND later.act IN ('activated', 'voided')
  )
ORDER BY s.serial
