"""GS1 identifiers: reading, checking, translating and issuing them. Pure: no I/O but the tables beside it.

``digital_link`` reads strictly and gives the canonical form (``canonical_form``); ``epc_urn`` translates;
``application_identifiers`` and ``coded_values`` hold the rules; ``thing`` makes index keys; ``serials`` makes
codes; ``linkset`` and ``link_choice`` are what a resolver answers; ``check_digits`` serves everybody.
"""
