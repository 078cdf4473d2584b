"""The public leaf of the log: a salted commitment and a coarse time, nothing else that identifies.

37 bytes: version 1, the 32-byte commitment, the UTC day as u32 big-endian (days since 1970-01-01). The day is
that of recording; anything finer would let an outsider match leaves with what it saw happen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from suyuan.errors import InputError

LEAF_VERSION = 1
LEAF_BYTES = 37
COMMITMENT_BYTES = 32
_EPOCH = date(1970, 1, 1)
_MAX_DAY = (date.max - _EPOCH).days


class Leaf(NamedTuple):
    """A parsed leaf; ``day`` counts UTC days since 1970-01-01."""

    commitment: bytes
    day: int

    @property
    def date(self) -> date:
        """The UTC date of recording."""
        return _EPOCH + timedelta(days=self.day)


def utc_day(moment: datetime) -> int:
    """Days since 1970-01-01 in UTC. Raises ``InputError`` (``leaf.time.naive``) for a time without zone."""
    if moment.tzinfo is None:
        raise InputError("leaf.time.naive", "A time without its zone has no UTC day.")
    return (moment.astimezone(UTC).date() - _EPOCH).days


def leaf_bytes(commitment: bytes, day: int) -> bytes:
    """The log entry of an event. Raises ``InputError`` (``leaf.malformed``)."""
    if len(commitment) != COMMITMENT_BYTES or not 0 <= day <= _MAX_DAY:
        raise InputError("leaf.malformed", "A leaf has a 32-byte commitment and a day from 1970 on.")
    return bytes((LEAF_VERSION,)) + commitment + day.to_bytes(4, "big")


def parse_leaf(leaf: bytes) -> Leaf:
    """The parts of a leaf. Raises ``InputError`` (``leaf.malformed``)."""
    day = int.from_bytes(leaf[33:], "big")
    if len(leaf) != LEAF_BYTES or leaf[0] != LEAF_VERSION or day > _MAX_DAY:
        raise InputError("leaf.malformed", "The log entry is no leaf of version 1.")
    return Leaf(leaf[1:33], day)
