"""Findings of stock: differences of the balance at work that nothing explains, each with the step where it arose.

What the balance of a lot says already is not said twice. Stock is read for a few products and for a limited time, since
a ledger item may have a million parcels; where it took longer, the list says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from suyuan.compliance.findings_model import Evidence, ListedFinding, finding_id_of
from suyuan.compliance.stock import StockQuery, stock_of
from suyuan.compliance.stock_ledger import PREFIX
from suyuan.compliance.stock_model import Difference, LedgerStock, LotStock, Step, Stock
from suyuan.db.pool import Pool
from suyuan.gs1.percent import encode_value

# Of each, who can put it right.
OWED_BY: dict[Step, str] = {
    "tally": "bonded-warehouse",
    "activation": "bonded-warehouse",
    "storage": "bonded-warehouse",
    "packing": "bonded-warehouse",
    "exit-list": "customs-broker",
    "gate": "bonded-warehouse",
}
# The finding of the quantity balance that says the same.
_TWINS = {
    "stock.tally.difference": "balance.entry.difference",
    "stock.codes.surplus": "balance.active.excess",
    "stock.exit.excess": "balance.exit.excess",
    "stock.outflow.uncoded": "balance.outflow.uncoded",
}
_LABELS = {
    "entered": ("entered under the ledger", "申报入账"),
    "received": ("received", "实收"),
    "damaged": ("damaged", "残损"),
    "active": ("codes active", "已激活追溯码"),
    "packed": ("packed into parcels", "已装箱"),
    "declared": ("on the lists of parcels", "包裹清单合计"),
    "exited": ("on exit lists", "出区清单核扣"),
    "passed": ("through the gate", "已过卡"),
    "returned": ("returned", "退回"),
    "counted": ("counted", "盘点"),
    "expected": ("should be there now", "现在应存"),
}
# Which figures stand against each other.
_SIDES = {
    "stock.tally.difference": (("entered",), ("received", "damaged")),
    "stock.codes.surplus": (("active",), ("received", "damaged")),
    "stock.count.difference": (("received", "damaged", "packed", "returned"), ("counted",)),
    "stock.outflow.uncoded": (("exited",), ("packed",)),
    "stock.list.difference": (("exited",), ("declared",)),
    "stock.exit.excess": (("exited",), ("entered", "returned")),
    "stock.gate.difference": (("exited",), ("passed",)),
}


class StockLook(msgspec.Struct, frozen=True):
    """What the stock of some goods showed; ``whole`` is false where there was no time for all of them."""

    findings: tuple[ListedFinding, ...]
    whole: bool


async def stock_findings(
    pool: Pool,
    queries: Iterable[StockQuery],
    seen: Callable[[Stock], Awaitable[Stock]],
    known: Iterable[ListedFinding],
    seconds: float,
) -> StockLook:
    """The differences of the stock that is asked for, as far as the viewer sees it (``seen``).

    ``known`` are findings of quantity, which are not told again.
    """
    told = {(one.code, thing) for one in known for thing in one.things}
    found: dict[str, ListedFinding] = {}
    try:
        async with asyncio.timeout(seconds):
            for query in queries:
                stock = await seen(await stock_of(pool, query))
                for one in _listed(stock):
                    twin = _TWINS.get(one.code, "")
                    if not any((twin, thing) in told for thing in one.things):
                        found[one.finding_id] = one
    except TimeoutError:
        return StockLook(tuple(found.values()), False)
    return StockLook(tuple(found.values()), True)


def _listed(stock: Stock) -> Iterator[ListedFinding]:
    for ledger in stock.ledgers:
        for difference in ledger.differences:
            if not difference.explained:
                yield _finding(difference, ledger, (PREFIX + ledger.ledger_item,))
    for lot in stock.lots:
        for difference in lot.differences:
            if not difference.explained:
                ledger_uri = (PREFIX + lot.ledger_item,) if lot.ledger_item else ()
                yield _finding(difference, lot, (_lot_uri(lot), *ledger_uri))


def _finding(difference: Difference, of: LedgerStock | LotStock, things: tuple[str, ...]) -> ListedFinding:
    gtin, lot, facility, since = "", "", "", None
    if isinstance(of, LotStock):
        gtin, lot, facility, since = of.gtin, of.lot, of.facility, _since(difference, of)
    return ListedFinding(
        finding_id=finding_id_of(
            "stock", difference.code, gtin, lot, of.ledger_item, facility, *_particular(difference)
        ),
        kind="stock",
        code=difference.code,
        reason_en=difference.reason_en,
        reason_zh=difference.reason_zh,
        gtin=gtin,
        lot=lot,
        things=tuple(dict.fromkeys([*things, *difference.references])),
        owed_by=OWED_BY[difference.step],
        since=since,
        step=difference.step,
        quantity=difference.quantity,
        alarm=difference.alarm,
        evidence=tuple(_evidence(difference, of, things[0])),
    )


def _particular(difference: Difference) -> tuple[str, ...]:
    """What tells a difference from others of the same ledger item: the one list that it is of."""
    return (
        difference.references if difference.code in ("stock.list.difference", "stock.gate.difference") else ()
    )


def _since(difference: Difference, lot: LotStock) -> datetime | None:
    return lot.counted_at if difference.code == "stock.count.difference" else None


def _evidence(difference: Difference, of: LedgerStock | LotStock, thing: str) -> Iterator[Evidence]:
    # Of one list the sentence has the figures; those of the ledger item are all lists together.
    if difference.code in ("stock.list.difference", "stock.gate.difference"):
        yield from (Evidence(side=0, en="", zh="", reference=uri) for uri in difference.references)
        yield Evidence(side=1, en=difference.reason_en, zh=difference.reason_zh, reference=thing)
        return
    for side, names in enumerate(_SIDES.get(difference.code, ((), ()))):
        for name in names:
            if value := getattr(of, name, ""):
                en, zh = _LABELS[name]
                yield Evidence(side=side, en=f"{value} {en}", zh=f"{zh} {value}", reference=thing)
    yield from (Evidence(side=0, en="", zh="", reference=uri) for uri in difference.references[:6])


def _lot_uri(lot: LotStock) -> str:
    return f"https://id.gs1.org/01/{lot.gtin}/10/{encode_value(lot.lot)}"
