SELECT p.customs_code, p.name_en, p.name_zh
FROM party AS p
WHERE p.customs_code IS NOT NULL
  AND EXISTS (
      SELECT FROM party_role AS r
      WHERE r.party_id = p.party_id AND r.role = 'courier' AND r.granted_at <= now()
        AND (r.revoked_at IS NULL OR r.revoked_at > now())
  )
ORDER BY p.name_en, p.customs_code
