"""What bonded lists (核注清单) state of one ledger item, of several papers on one list by the surest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from suyuan.capture.index import documents_of
from suyuan.capture.links import link_kind
from suyuan.compliance.standing import StandingEvent

_EXT = "{urn:suyuan:ext}"
_ENDED = frozenset({"rejected", "deleted"})
# How sure a paper's word on a list's quantity is.
_SURENESS = {"SAS/INV211": 3, "SAS/INV201": 2, "SAS/INV101": 1}


def read_quantity(value: Any) -> Decimal | None:
    """A number as events hold it, or None where it is none."""
    text = value.get("#number") if isinstance(value, dict) else value
    try:
        return Decimal(text) if isinstance(text, str) and text else None
    except InvalidOperation:
        return None


def _lines(body: Mapping[str, Any], ledger_uri: str) -> Decimal | None:
    """What the lines of a bonded list say of one ledger item, or None where they say nothing of it."""
    lines = body.get(f"{_EXT}line")
    total: Decimal | None = None
    for line in lines if isinstance(lines, list) else [lines]:
        if isinstance(line, dict) and line.get(f"{_EXT}ledgerItem") == ledger_uri:
            quantity = read_quantity(line.get(f"{_EXT}quantity"))
            if quantity is not None:
                total = quantity if total is None else total + quantity
    return total


class ListQuantities:
    """Quantity of the ledger item per bonded list, entry and exit apart, each by its surest paper."""

    def __init__(self, ledger_uri: str) -> None:
        self._ledger_uri = ledger_uri
        self._found: dict[str, dict[str, tuple[int, Decimal]]] = {"in": {}, "out": {}}
        self._last: dict[str, tuple[datetime, bool]] = {}

    def add(self, event: StandingEvent) -> None:
        """Take in one event that names the ledger item."""
        quantity = _lines(event.body, self._ledger_uri)
        sureness = _SURENESS.get(event.row["message"], 0)
        for uri in documents_of(event.body):
            kind, _, direction = link_kind(uri).partition(":")
            if kind != "bonded-list" or direction not in self._found:
                continue
            said = event.row["event_time"], event.words[1] in _ENDED
            self._last[uri] = max(self._last.get(uri, said), said)
            known = self._found[direction].get(uri)
            if quantity is not None and (known is None or (sureness, quantity) > known):
                self._found[direction][uri] = (sureness, quantity)

    def quantities(self) -> dict[str, dict[str, Decimal]]:
        """By direction and list, without the lists that were last rejected or deleted."""
        return {
            way: {uri: pair[1] for uri, pair in lists.items() if not self._last[uri][1]}
            for way, lists in self._found.items()
        }
