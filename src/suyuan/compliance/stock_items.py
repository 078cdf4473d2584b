"""What single items and their lots add to the figures of stock, read in portions whatever their number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from suyuan.capture.index import Role, documents_of
from suyuan.capture.links import document_kind
from suyuan.capture.payload import list_counts
from suyuan.compliance.bonded_lists import read_quantity
from suyuan.compliance.standing import PAGE, StandingEvent, standing_events, whole_list
from suyuan.compliance.stock_figures import (
    COUNT_STEPS,
    DAMAGE,
    TALLY_STEPS,
    ZERO,
    Count,
    Holding,
    Work,
)
from suyuan.db.pool import Connection, sql
from suyuan.gs1.percent import decode_value, encode_value
from suyuan.gs1.thing import thing_key
from suyuan.trace.state import short_name

GTIN_URI = "https://id.gs1.org/01/"
_LEDGER = "urn:suyuan:ledger-item:"
_SHELF = "{urn:suyuan:ext}shelf"
_STEP = "https://ref.gs1.org/cbv/BizStep-"
_DISPOSITION = "https://ref.gs1.org/cbv/Disp-"
_CLASS_BYTES = 6
_PORTION = 2_000
_IN, _OUT = 1, 3


class Ties(msgspec.Struct):
    """Which ledger item a parcel takes goods from, by the parcel's key; what several share is left out."""

    ledgers: dict[bytes, str]


class _Item(msgspec.Struct):
    uri: str
    rows: list[asyncpg.Record]


def lot_uri(gtin: str, lot: str) -> str:
    """The lot as a class URI."""
    return f"{GTIN_URI}{gtin}/10/{encode_value(lot)}"


def key_range(gtin: str) -> tuple[bytes, bytes]:
    """The least and the greatest key that a thing of the GTIN can have."""
    stem = thing_key(f"{GTIN_URI}{gtin}")[:_CLASS_BYTES]
    return stem + b"\x00" * 10, stem + b"\xff" * 10


async def add_lot_counts(conn: Connection, work: Work, gtin: str, lots: list[str]) -> set[str]:
    """Add the counts that name a lot; returns the serials that events commission, as ``lot NUL serial``."""
    foreign: set[str] = set()
    for lot in lots:
        async for event in standing_events(conn, [lot_uri(gtin, lot)], [Role.CLASS, Role.LOT]):
            if event.words[0] in COUNT_STEPS:
                _add_count(work, event, gtin, lot)
            elif lot not in work.coded and event.words[0] == "commissioning":
                foreign.update(await _commissioned(conn, event, gtin, lot))
    work.coded |= {one.partition("\0")[0] for one in foreign}
    return foreign


async def add_lots(conn: Connection, work: Work, gtin: str, lots: list[str]) -> None:
    """Add what names the lots as quantities; counts have been added before."""
    for lot in lots:
        async for event in standing_events(conn, [lot_uri(gtin, lot)], [Role.CLASS]):
            _add_quantity(work, event, gtin, lot)


def _place(event: StandingEvent) -> str:
    return event.row["biz_location"] or event.row["read_point"] or ""


def _quantity(body: Mapping[str, Any], uri: str) -> Decimal:
    elements = [*(body.get("quantityList") or ()), *(body.get("childQuantityList") or ())]
    return sum(
        (read_quantity(one.get("quantity")) or ZERO for one in elements if one.get("epcClass") == uri), ZERO
    )


def _add_count(work: Work, event: StandingEvent, gtin: str, lot: str) -> None:
    shelf = event.body.get(_SHELF)
    count = work.counts.setdefault(Holding(lot, "", _place(event)), Count())
    quantity = _quantity(event.body, lot_uri(gtin, lot))
    count.add_shelf(shelf if isinstance(shelf, str) else "", event.row["event_time"], quantity)


def _add_quantity(work: Work, event: StandingEvent, gtin: str, lot: str) -> None:
    step, disposition = event.words
    kind = disposition if disposition in DAMAGE or disposition in ("returned", "active") else step
    quantity = _quantity(event.body, lot_uri(gtin, lot))
    if not quantity:
        return
    ledgers = [
        uri.removeprefix(_LEDGER) for uri in documents_of(event.body) if document_kind(uri) == "ledger-item"
    ]
    holding = Holding(lot, ledgers[0] if len(set(ledgers)) == 1 else "", _place(event))
    if kind == "active":
        work.reported_number[holding] = max(work.reported_number.get(holding, ZERO), quantity)
    else:
        work.add(holding, kind, quantity, event.row["event_time"])


async def _commissioned(conn: Connection, event: StandingEvent, gtin: str, lot: str) -> list[str]:
    stem = f"{GTIN_URI}{gtin}/21/"
    if "epcList" in list_counts(event.body) or event.body.get("epcList"):
        uris = await whole_list(conn, event.row["event_key"], event.body, "epcList")
        return [f"{lot}\0{decode_value(uri[len(stem) :])}" for uri in uris if uri.startswith(stem)]
    return []


async def add_item_counts(conn: Connection, work: Work, gtin: str, lots: set[str], foreign: set[str]) -> None:
    """Add the items that counts read one by one; comes before ``add_items``."""
    async for item, lot, _ in _items(conn, gtin, foreign, [_STEP + step for step in COUNT_STEPS], []):
        if lot not in lots:
            continue
        places: dict[str, list[datetime]] = {}
        for row in item.rows:
            if short_name(row["biz_step"] or "") in COUNT_STEPS:
                places.setdefault(row["place"] or "", []).append(row["event_time"])
        for place, moments in places.items():
            work.counts.setdefault(Holding(lot, "", place), Count()).add_item(moments)


async def add_items(
    conn: Connection, work: Work, gtin: str, lots: set[str], foreign: set[str], ties: Ties
) -> None:
    """Add what happened to each item of the lots: taken in, damaged, packed, returned, reported active."""
    steps = [_STEP + step for step in TALLY_STEPS]
    dispositions = [_DISPOSITION + word for word in (*DAMAGE, "returned", "active")]
    async for item, lot, code in _items(conn, gtin, foreign, steps, dispositions):
        if lot in lots:
            _add_item(work, item, lot, code, ties)


def _add_item(work: Work, item: _Item, lot: str, code: asyncpg.Record | None, ties: Ties) -> None:
    inside = _parcel(item.rows)
    ledger = ties.ledgers.get(inside["other"], "") if inside is not None else ""
    if not ledger and code is not None:
        ledger = code["ledger_item"] or ""
    said: dict[str, asyncpg.Record] = {}
    for row in item.rows:
        step, disposition = short_name(row["biz_step"] or ""), short_name(row["disposition"] or "")
        kind = disposition if disposition in DAMAGE or disposition in ("returned", "active") else step
        if row["role"] == int(Role.SUBJECT):
            said.setdefault(kind, row)
    for kind, row in said.items():
        holding = Holding(lot, ledger, row["place"] or "")
        if kind != "active":
            work.add(holding, kind, Decimal(1), row["event_time"])
        elif code is None or not code["active"]:
            work.reported[holding] = work.reported.get(holding, 0) + 1
    if inside is not None:
        work.add(Holding(lot, ledger, inside["place"] or ""), "packed", Decimal(1), inside["event_time"])
        work.parcels[inside["other"]] = work.parcels.get(inside["other"], 0) + 1


def _parcel(rows: list[asyncpg.Record]) -> asyncpg.Record | None:
    """The act that put an item into the parcel where it is: the last one, if nobody took it out again."""
    acts = [row for row in rows if row["role"] == int(Role.CHILD)]
    if not acts or acts[-1]["action"] == _OUT:
        return None
    emptied = acts[-1]["emptied"]
    return None if emptied is not None and emptied >= acts[-1]["event_time"] else acts[-1]


async def _items(
    conn: Connection, gtin: str, foreign: set[str], steps: list[str], dispositions: list[str]
) -> AsyncIterator[tuple[_Item, str, asyncpg.Record | None]]:
    """Items with their lot and what their issuer knows of them; serials whose lot nobody states are left out."""
    stem = f"{GTIN_URI}{gtin}/21/"
    portion: list[_Item] = []
    lots: dict[str, str] = {}
    for one in sorted(foreign, reverse=True):
        lot, _, serial = one.partition("\0")
        lots[serial] = lot
    text = sql(__package__, "item_acts")
    async for row in conn.cursor(text, *key_range(gtin), steps, dispositions, prefetch=PAGE):
        if not row["uri"].startswith(stem):
            continue
        if portion and portion[-1].uri == row["uri"]:
            portion[-1].rows.append(row)
            continue
        if len(portion) >= _PORTION:
            for known in await _known(conn, gtin, portion, lots):
                yield known
            portion = []
        portion.append(_Item(row["uri"], [row]))
    for known in await _known(conn, gtin, portion, lots):
        yield known


async def _known(
    conn: Connection, gtin: str, portion: list[_Item], lots: Mapping[str, str]
) -> list[tuple[_Item, str, asyncpg.Record | None]]:
    stem = f"{GTIN_URI}{gtin}/21/"
    serials = [decode_value(item.uri[len(stem) :]) for item in portion]
    rows = await conn.fetch(sql(__package__, "items_known"), gtin, serials)
    codes = {row["serial"]: row for row in rows}
    found: list[tuple[_Item, str, asyncpg.Record | None]] = []
    for item, serial in zip(portion, serials, strict=True):
        code = codes.get(serial)
        lot = code["lot"] if code is not None else lots.get(serial, "")
        if lot:
            found.append((item, lot, code))
    return found
