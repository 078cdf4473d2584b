SELECT DISTINCT gtin FROM code_batch WHERE gtin = ANY ($1::text[])
