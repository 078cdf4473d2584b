"""What the balance at work (库存勾稽) says: stock by lot and by ledger item, and where each difference arose."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

# Where a difference arose, in the order of the way through a warehouse.
Step = Literal["tally", "activation", "storage", "packing", "exit-list", "gate"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two figures that are not the same. ``explained`` says that papers account for it; ``alarm`` that somebody
    must act: codes without goods, or goods that left without a code or beyond what came in.
    """

    step: Step
    code: str
    quantity: str
    reason_en: str
    reason_zh: str
    explained: bool = False
    alarm: bool = False
    references: tuple[str, ...] = ()


class LotStock(msgspec.Struct, frozen=True, kw_only=True):
    """One lot of a ledger item in one facility, in pieces; empty where nothing is known.

    ``expected`` is what should be there now, ``counted`` what the last count found (``counted_at``) and ``present``
    that with what moved since.
    """

    gtin: str
    lot: str
    ledger_item: str
    facility: str
    received: str
    damaged: str
    active: str
    packed: str
    returned: str
    expected: str
    counted: str = ""
    counted_at: datetime | None = None
    present: str = ""
    differences: tuple[Difference, ...] = ()


class LedgerStock(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger item of the bonded ledger, all lots and facilities together.

    ``expected`` is entered - damaged - exited + returned. ``declared`` is what the lists of single parcels take from
    it, ``passed`` what stands on exit lists whose gate pass went through the gate.
    """

    ledger_item: str
    entered: str
    received: str
    damaged: str
    packed: str
    declared: str
    exited: str
    passed: str
    returned: str
    expected: str
    differences: tuple[Difference, ...] = ()


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """Stock by lot and by ledger item. ``truncated``: there are more lots than were looked at."""

    lots: tuple[LotStock, ...]
    ledgers: tuple[LedgerStock, ...]
    truncated: bool = False

    @property
    def alarms(self) -> tuple[Difference, ...]:
        """What somebody must act upon."""
        found = [one for ledger in self.ledgers for one in ledger.differences]
        found += [one for lot in self.lots for one in lot.differences]
        return tuple(one for one in found if one.alarm)
