SELECT name, version, text, added_at
FROM scan_mapping
WHERE party_id = $1 AND ($2 = '' OR name = $2)
ORDER BY name, version DESC
LIMIT 2000
