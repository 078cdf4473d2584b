DELETE FROM label_image WHERE scan_id = ANY ($1::bigint[])
