"""The database: the embedded server, connections and transactions, migrations, key files.

Nothing here knows what is stored. The rooms above keep their SQL beside themselves.
"""
