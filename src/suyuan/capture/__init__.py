"""The one way in for events and evidence.

A paper is read, its personal data is set aside, its person documents become pseudonyms, its URIs canonical;
then every event gets its ID and its commitment, and one transaction stores evidence, events, index rows and
intake rows. Nothing is stored in part: an error leaves the database as it was.
"""
