SELECT DISTINCT gtin FROM code_batch
