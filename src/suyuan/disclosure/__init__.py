"""What an audience may see, and how the rest stays proved: claims, salted commitments, masks.

Pure: no clock, no randomness, no storage. Secrets come from the caller and leave only as the salts of claims
that are disclosed.
"""
