"""Revealing the personal fields of one paper: to the operator, or to the party that delivered it.

Each subject whose data is given is journalled with who and why before anything is unsealed. A workbook or a PDF is
sealed as a whole and has no fields; whoever delivered it has the file.
"""

from __future__ import annotations

import msgspec

from suyuan.db.pool import Pool, sql
from suyuan.errors import NotFoundError, TooLargeError
from suyuan.trace.lookup import Asker
from suyuan.vault import SealedPart, Vault

MAX_FIELDS = 2000


class PersonalValue(msgspec.Struct, frozen=True, kw_only=True):
    """One personal field of a paper as it stands there; ``value`` is None where its subject was erased."""

    path: str
    category: str
    value: str | None


async def reveal_paper(
    pool: Pool, vault: Vault, capture_id: str, *, asker: Asker, reason: str, path: str = ""
) -> tuple[PersonalValue, ...]:
    """The personal fields of a paper whose path in it begins with ``path``, in its order.

    Raises ``NotFoundError`` (``capture.unknown``, also for somebody else's), ``TooLargeError``
    (``vault.reveal.fields``) and ``InputError`` (``vault.reason``).
    """
    row = await pool.fetchrow(sql("suyuan.capture", "get_capture"), capture_id)
    if row is None or not (asker.whole or row["party_id"] == asker.party_id):
        raise NotFoundError("capture.unknown", "There is no such capture of this party.", path="capture_id")
    rows = await pool.fetch(sql("suyuan.trace", "personal_parts"), row["evidence_id"], path, MAX_FIELDS + 1)
    if len(rows) > MAX_FIELDS:
        raise TooLargeError(
            "vault.reveal.fields",
            f"More than {MAX_FIELDS} personal fields would be revealed at once.",
            path="path",
            remedy="Name the part of the paper that is needed by the beginning of its path.",
        )
    parts = [SealedPart(found["subject_id"], found["sealed"]) for found in rows]
    values = await vault.reveal_parts(pool, parts, party_id=asker.party_id, reason=reason, by=asker.by)
    return tuple(
        PersonalValue(
            path=found["path"],
            category=found["category"],
            value=None if value is None else value.decode("utf-8", "replace"),
        )
        for found, value in zip(rows, values, strict=True)
    )
