"""What was done to one code here: issued, printed, activated, voided; by whom, when and where."""

from __future__ import annotations

from datetime import datetime

import msgspec

from suyuan.db.pool import Connection, Pool, sql
from suyuan.issuing.codes import Batch


class CodeAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act. ``facility`` is where, as the party named it; ``act_id`` is 0 for issuing."""

    act: str
    at: datetime
    party_id: str
    facility: str = ""
    ledger_item: str = ""
    reason: str = ""
    act_id: int = 0


class CodeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A code of a batch, its place in the order of issue (from 1), and what was done to it, the oldest first."""

    serial: str
    ordinal: int
    batch: Batch
    acts: tuple[CodeAct, ...]


async def code_history(db: Pool | Connection, gtin: str, serial: str) -> CodeHistory | None:
    """The history of a code that was issued here, else None."""
    found = await db.fetchrow(sql(__package__, "issued_code"), gtin, serial)
    if found is None:
        return None
    batch = Batch(**{name: found[name] for name in Batch.__struct_fields__})
    acts = [CodeAct(act="issued", at=batch.issued_at, party_id=batch.issued_by)]
    for row in await db.fetch(sql(__package__, "code_acts"), gtin, serial):
        acts.append(
            CodeAct(
                act=row["act"],
                at=row["acted_at"],
                party_id=row["party_id"],
                facility=row["facility"],
                ledger_item=row["ledger_item"],
                reason=row["reason"],
                act_id=row["act_id"],
            )
        )
    return CodeHistory(serial=serial, ordinal=found["ordinal"], batch=batch, acts=tuple(acts))
