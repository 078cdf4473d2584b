"""What compliance says of a trace: coverage of the required legs and the quantity balance."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

LegState = Literal["present", "missing", "not yet due", "late", "contradictory", "not required"]


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One required leg: who owes it, until when, and the facts that are it (positions in the trace)."""

    code: str
    name_en: str
    name_zh: str
    owed_by: str
    state: LegState
    due: datetime | None
    facts: tuple[int, ...]
    assurance: str
    reason_en: str = ""
    reason_zh: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not add up; it never refuses a report."""

    code: str
    reason_en: str
    reason_zh: str
    quantity: str = ""
    references: tuple[str, ...] = ()


Requirement = Literal["label", "own-system", "local-system", "third-party", "not-yet-required"]


class CityDuty(msgspec.Struct, frozen=True, kw_only=True):
    """What the city of the import list asks to be coded on these goods, on the day of the list.

    ``met`` is None where it cannot be told from what is known. ``basis`` says where the rule was read, and
    ``confirmed`` whether that was an official text. ``codes`` are those that the item bears in the city's own system.
    """

    city: str
    name_en: str
    name_zh: str
    requires: Requirement
    since: date
    until: date | None
    met: bool | None
    basis: str
    confirmed: bool
    codes: tuple[str, ...] = ()


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage of one item against the legs of its mode as dated data."""

    mode: str
    profile: str
    legs: tuple[Leg, ...]
    findings: tuple[Finding, ...]
    assurance_counts: dict[str, int]
    city: CityDuty | None = None

    @property
    def present(self) -> int:
        """Legs that are there (also late ones)."""
        return sum(leg.state in ("present", "late") for leg in self.legs)

    @property
    def required(self) -> int:
        """Legs that are asked for."""
        return sum(leg.state != "not required" for leg in self.legs)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Quantity balance of one lot, ledger item and facility, in units of the ledger (pieces)."""

    lot: str
    ledger_item: str
    facility: str
    coded: str
    entered: str
    received: str
    damaged: str
    activated: str
    exited: str
    returned: str
    unexplained: str
    findings: tuple[Finding, ...]
