"""The public face: the page of an item, the resolver at its URI, and their two languages.

``page`` and what it stands on (``classify``, ``timeline``, ``journey``, ``summary``, ``verdict``,
``wording``, ``language``) are pure: a trace in, a document out. ``resolver`` decides what a request gets,
``routes`` mounts it. What the page may show was decided below, by the mask; nothing here adds a fact.
Deliberately not here: counting scans, storing links, reading the database.
"""
