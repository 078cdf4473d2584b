"""Scans in a shape of the deliverer's own, read by the mapping that it stored once.

The mapping is put in front of the scans before anything is read, as a sender would have done: evidence holds both, so
that reading stays a matter of bytes alone, and the version that was used can be seen in it for ever.
"""

from __future__ import annotations

import asyncio

from suyuan import sheets
from suyuan.capture.sources import Source
from suyuan.db.pool import Connection, Pool
from suyuan.epcis.reading import Warning_
from suyuan.parties.mappings import get_mapping, stored_mappings
from suyuan.sheets.recognised import GLANCE, StoredMapping, choose_mapping, is_json, may_be_scans

USED = "sheet.mapping.stored"


async def with_stored_mapping(
    db: Pool | Connection, given: bytes | Source, party_id: str, name: str = ""
) -> tuple[bytes | Source, tuple[Warning_, ...]]:
    """The paper, with the party's mapping in front where it is read by one, and a note that says so.

    ``name`` is the mapping's; without it the one that the scans fit is taken. Raises ``NotFoundError``
    (``mapping.unknown``), ``InputError`` (``sheet.mapping.none``, ``sheet.mapping.ambiguous``) and ``TooLargeError``.
    """
    head = given[:GLANCE] if isinstance(given, bytes) else await asyncio.to_thread(given.head, GLANCE)
    if name:
        return await _mapped((await get_mapping(db, party_id, name)).stored, given)
    if not may_be_scans(head):
        return given, ()
    stored = await stored_mappings(db, party_id)
    if not stored:
        return given, ()
    sheets.check_size(head, len(given) if isinstance(given, bytes) else given.size)
    whole = await asyncio.to_thread(given.whole) if isinstance(given, Source) and is_json(head) else given
    data = whole if isinstance(whole, bytes) else head
    chosen = await asyncio.to_thread(choose_mapping, stored, data)
    return (given, ()) if chosen is None else await _mapped(chosen, whole)


async def _mapped(stored: StoredMapping, given: bytes | Source) -> tuple[bytes, tuple[Warning_, ...]]:
    data = given if isinstance(given, bytes) else await asyncio.to_thread(given.whole)
    return stored.before(data), (used(stored),)


def used(stored: StoredMapping) -> Warning_:
    """The note that scans were read by a stored mapping."""
    return Warning_(USED, "mapping", f"Read by the stored mapping {stored.name}, version {stored.version}.")
