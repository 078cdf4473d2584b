SET LOCAL ROLE suyuan_eraser
