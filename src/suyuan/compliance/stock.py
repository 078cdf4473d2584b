"""The balance at work (库存勾稽): what should be there, what is there, and where the two went apart.

By lot, ledger item and facility, from the events as they stand; so papers that come late, in another order or corrected
need no repair. For a lot in a facility, in pieces:

- *expected* = received - damaged - packed into parcels + returned. Pieces that arrived damaged and were never taken
  in are not taken off a second time: damage explains what the tally found too few under the ledger item first.
- *counted*: what the last count found, by number of pieces (of each shelf the last number) or code by code (those read
  on the last day); set against what should have been there at that moment. *present* is that, moved on to now.

For a ledger item, all its lots together: entered - damaged - exited + returned, and each exit list against the
parcels it names, the pieces packed into them, and its gate pass. A difference is explained by papers that are still
to come in the ordinary course (codes to be activated, parcels packed that no list names yet, lists that have not gone
through the gate), or it is listed with the step where it arose. More codes active than goods, goods that left without
a packed code, and more left than came are alarms. Nothing is refused because of it.

Where a count or a tally names no ledger item and the lot has one only at that place, it is that one's; else it stands
by itself. A case or pallet that is counted by its own code does not count what is in it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from suyuan.compliance.balance import find_ledger_items
from suyuan.compliance.discrepancies import plain
from suyuan.compliance.standing import one_view
from suyuan.compliance.stock_differences import ledger_differences, lot_differences
from suyuan.compliance.stock_figures import ZERO, Figures, Holding, Work
from suyuan.compliance.stock_items import (
    GTIN_URI,
    Ties,
    add_item_counts,
    add_items,
    add_lot_counts,
    add_lots,
    key_range,
)
from suyuan.compliance.stock_ledger import PREFIX, LedgerPapers, read_papers
from suyuan.compliance.stock_model import LedgerStock, LotStock, Stock
from suyuan.compliance.stock_settling import Settled, settle
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError
from suyuan.gs1.digital_link import canonical_or_same
from suyuan.gs1.percent import decode_value
from suyuan.issuing import find_batches
from suyuan.issuing.codes import activated_count, check_batch

MAX_LOTS = 24


class StockQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Without GTIN and ledger item these are the newest lots that codes were issued for."""

    gtin: str = ""
    lot: str = ""
    ledger_item: str = ""
    facility: str = ""


def read_query(gtin: str, lot: str, ledger_item: str, facility: str) -> StockQuery:
    """The query that a caller's words mean. Raises ``InputError`` (``issuing.*``, ``stock.query.lot``)."""
    if lot and not gtin and not ledger_item:
        raise InputError(
            "stock.query.lot",
            "A lot number alone may be many firms'.",
            path="lot",
            remedy="Name the GTIN too, or the ledger item.",
        )
    if gtin:
        check_batch(gtin, lot or "0", 1)
    return StockQuery(
        gtin=gtin,
        lot=lot,
        ledger_item=ledger_item.removeprefix(PREFIX),
        facility=canonical_or_same(facility) if facility else "",
    )


async def stock_of(db: Pool | Connection, query: StockQuery) -> Stock:
    """The stock that is asked for, all of it from one state of the tables."""
    async with one_view(db) as conn:
        papers: dict[str, LedgerPapers] = {}
        asked, truncated = await _lots_of(conn, query, papers)
        lots = await _read_ledgers(conn, asked, papers)
        ties = _ties(papers)
        works = {gtin: await _work(conn, gtin, numbers, ties) for gtin, numbers in lots.items()}
        settled = {gtin: settle(work) for gtin, work in works.items()}
        parcels: dict[bytes, int] = {}
        for work in works.values():
            for key, number in work.parcels.items():
                parcels[key] = parcels.get(key, 0) + number
        ledgers, spared = _ledgers(papers, works, settled, parcels)
        rows: list[LotStock] = []
        for gtin, work in works.items():
            rows += await _rows(conn, gtin, work, settled[gtin], spared[gtin])
    wanted = {(gtin, lot) for gtin, numbers in asked.items() for lot in numbers}
    kept = [row for row in rows if (row.gtin, row.lot) in wanted and _asked(row, query)]
    items = {row.ledger_item for row in kept} | {query.ledger_item}
    return Stock(
        lots=tuple(kept),
        ledgers=tuple(ledger for ledger in ledgers if ledger.ledger_item in items),
        truncated=truncated,
    )


def _ledgers(
    papers: dict[str, LedgerPapers],
    works: dict[str, Work],
    settled: dict[str, Settled],
    parcels: dict[bytes, int],
) -> tuple[list[LedgerStock], dict[str, dict[Holding, Decimal]]]:
    """The ledger items, and by GTIN how many damaged pieces of each holding were never taken in."""
    ledgers: list[LedgerStock] = []
    spared: dict[str, dict[Holding, Decimal]] = {gtin: {} for gtin in works}
    for item in sorted(papers):
        found = [
            (gtin, holding, one)
            for gtin, figures in sorted(settled.items())
            for holding, one in sorted(figures.whole.items(), key=lambda pair: pair[0])
            if holding.ledger_item == item
        ]
        left = sum(papers[item].entries.values(), ZERO)
        left -= sum((one.received or ZERO for _, _, one in found), ZERO)
        for gtin, holding, one in found:
            spared[gtin][holding] = max(ZERO, min(one.damaged, left))
            left -= spared[gtin][holding]
        coded = any(holding.lot in works[gtin].coded for gtin, holding, _ in found)
        ledgers.append(_ledger(papers[item], [one for _, _, one in found], parcels, coded))
    return ledgers, spared


def _asked(row: LotStock, query: StockQuery) -> bool:
    return (
        query.lot in ("", row.lot)
        and query.ledger_item in ("", row.ledger_item)
        and query.facility in ("", row.facility)
    )


async def _lots_of(
    conn: Connection, query: StockQuery, papers: dict[str, LedgerPapers]
) -> tuple[dict[str, list[str]], bool]:
    """Lots by GTIN. With those asked for come the others of their ledger items, which share the same papers."""
    found: list[tuple[str, str]] = []
    if query.ledger_item:
        papers[query.ledger_item] = await read_papers(conn, query.ledger_item)
        found = sorted(one for one in papers[query.ledger_item].lots if query.gtin in ("", one[0]))
    elif query.lot:
        found = [(query.gtin, query.lot)]
    elif query.gtin:
        uris = await conn.fetch(sql(__package__, "lots_at_work"), *key_range(query.gtin), MAX_LOTS + 1)
        stem = f"{GTIN_URI}{query.gtin}/10/"
        found = [
            (query.gtin, decode_value(row["uri"][len(stem) :]))
            for row in uris
            if row["uri"].startswith(stem) and "/" not in row["uri"][len(stem) :]
        ]
    else:
        rows = await conn.fetch(sql(__package__, "recent_lots"), MAX_LOTS + 1, "", "")
        found = [(row["gtin"], row["lot"]) for row in rows]
    truncated = len(found) > MAX_LOTS
    lots: dict[str, list[str]] = {}
    for gtin, lot in found[:MAX_LOTS]:
        lots.setdefault(gtin, []).append(lot)
    return lots, truncated


async def _read_ledgers(
    conn: Connection, lots: dict[str, list[str]], papers: dict[str, LedgerPapers]
) -> dict[str, list[str]]:
    """Read the ledger items under which the lots were tallied; returns the lots with those that share these items."""
    for gtin, numbers in lots.items():
        for lot in numbers:
            for item, _ in await find_ledger_items(conn, gtin, lot):
                if item not in papers:
                    papers[item] = await read_papers(conn, item)
    shared = {one for found in papers.values() for one in found.lots}
    every = {(gtin, lot) for gtin, numbers in lots.items() for lot in numbers} | shared
    return {gtin: sorted(lot for one, lot in every if one == gtin) for gtin, _ in sorted(every)}


async def _work(conn: Connection, gtin: str, lots: list[str], ties: Ties) -> Work:
    """All figures of the lots, counts first: what moved is then added up to the moment of each."""
    work = Work()
    for lot in lots:
        if await find_batches(conn, gtin, lot):
            work.coded.add(lot)
    foreign = await add_lot_counts(conn, work, gtin, lots)
    await add_item_counts(conn, work, gtin, set(lots), foreign)
    await add_lots(conn, work, gtin, lots)
    await add_items(conn, work, gtin, set(lots), foreign, ties)
    return work


def _ties(papers: dict[str, LedgerPapers]) -> Ties:
    """The ledger item of each parcel; of a parcel that takes from several the pieces are not told apart."""
    found: dict[bytes, set[str]] = {}
    for item, one in papers.items():
        for uri, keys in one.waybills.items():
            if uri in one.declared:
                for key in keys:
                    found.setdefault(key, set()).add(item)
    return Ties({key: items.pop() for key, items in found.items() if len(items) == 1})


async def _rows(
    conn: Connection, gtin: str, work: Work, settled: Settled, apart: dict[Holding, Decimal]
) -> list[LotStock]:
    rows = []
    for holding in settled.holdings():
        lot, item, place = holding
        one = settled.whole.get(holding, Figures())
        active = Decimal(await activated_count(conn, gtin, lot, item, place))
        active = max(active + settled.reported.get(holding, ZERO), work.reported_number.get(holding, ZERO))
        spared = apart.get(holding, ZERO)
        expected = one.at_hand(spared)
        count = settled.counts.get(holding)
        result = count.result if count is not None else None
        then, present = ZERO, None
        if result is not None:
            then = _sum(settled.until, holding, apart)
            now = _sum(settled.whole, holding, apart)
            present = result[1] + now - then
        goods = one.received - max(ZERO, one.damaged - spared) if one.received is not None else None
        rows.append(
            LotStock(
                gtin=gtin,
                lot=lot,
                ledger_item=item,
                facility=place,
                received=plain(one.received),
                damaged=plain(one.damaged),
                active=plain(active),
                packed=plain(one.packed),
                returned=plain(one.returned),
                expected=plain(expected),
                counted=plain(result[1]) if result is not None else "",
                counted_at=result[0] if result is not None else None,
                present=plain(present),
                differences=tuple(
                    lot_differences(
                        goods=goods,
                        active=active,
                        coded=lot in work.coded,
                        expected=then,
                        counted=result[1] if result is not None else None,
                    )
                ),
            )
        )
    return rows


def _sum(figures: dict[Holding, Figures], holding: Holding, apart: dict[Holding, Decimal]) -> Decimal:
    """What should be there of a holding; a count that is no single ledger item's is of all at that place."""
    return sum(
        (
            one.at_hand(apart.get(other, ZERO))
            for other, one in figures.items()
            if other == holding
            or (not holding.ledger_item and (other.lot, other.facility) == (holding.lot, holding.facility))
        ),
        ZERO,
    )


def _ledger(
    papers: LedgerPapers, figures: list[Figures], parcels: dict[bytes, int], coded: bool
) -> LedgerStock:
    tallies = [one.received for one in figures if one.received is not None]
    received = sum(tallies, ZERO) if tallies else None
    damaged = sum((one.damaged for one in figures), ZERO)
    returned = sum((one.returned for one in figures), ZERO)
    packed = sum((one.packed for one in figures), ZERO)
    listed = {uri for one in papers.exits.values() for uri in one.parcels}
    entered = sum(papers.entries.values(), ZERO) if papers.entries else None
    exited = sum((one.quantity for one in papers.exits.values()), ZERO)
    return LedgerStock(
        ledger_item=papers.ledger_item,
        entered=plain(entered),
        received=plain(received),
        damaged=plain(damaged),
        packed=plain(packed),
        declared=plain(sum(papers.declared.values(), ZERO)),
        exited=plain(exited),
        passed=plain(sum((one.quantity for one in papers.exits.values() if one.passed), ZERO)),
        returned=plain(returned),
        expected=plain(entered - damaged - exited + returned) if entered is not None else "",
        differences=tuple(
            ledger_differences(
                papers,
                received=received,
                damaged=damaged,
                returned=returned,
                packed=packed,
                packed_listed=Decimal(papers.packed(parcels, listed)),
                coded=coded,
            )
        ),
    )
