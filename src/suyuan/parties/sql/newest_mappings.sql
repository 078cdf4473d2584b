SELECT DISTINCT ON (name) name, version, text, added_at
FROM scan_mapping
WHERE party_id = $1
ORDER BY name, version DESC
