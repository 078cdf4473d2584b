DELETE FROM label_image WHERE day = $1
