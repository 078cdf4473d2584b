"""A compressed day of mixed load against a real server, and whether anything grows under it."""
