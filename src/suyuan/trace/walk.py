"""The walk: from one thing to every event that is provably about it, and how each is tied to it.

Four kinds of edges are followed, each in its interval and only in its direction: containment (up), lot
membership, transformation (back to the inputs) and documents (from the item's parcel or container to
farther papers, never down to other goods). Where several consignments fit and nothing binds the item to one
of them, the walk names the ambiguity and follows none.

The result depends on the set of events only, not on the order in which they arrived.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suyuan.capture.index import Role, lot_classes
from suyuan.capture.links import document_kind
from suyuan.db.pool import Connection
from suyuan.gs1.percent import encode_value
from suyuan.gs1.thing import thing_key
from suyuan.issuing import code_statuses
from suyuan.trace.aliases import ITEM, follow_aliases
from suyuan.trace.ascent import climb
from suyuan.trace.claims import CARRIERS, Positions
from suyuan.trace.findings import Findings, Reach, short_label, whole_reach
from suyuan.trace.model import Ambiguity, Tie, TieLink
from suyuan.trace.papers import PaperTrail
from suyuan.trace.rows import Row
from suyuan.trace.shared import Borrowed

_GTIN = "https://id.gs1.org/01/"
_PRODUCT = re.compile(r"https://id\.gs1\.org/01/\d{14}(?=/)")
_DIRECT = (Role.SUBJECT, Role.PARENT, Role.CHILD, Role.INPUT, Role.OUTPUT, Role.CLASS, Role.LOT)
# What goods travel in goes by a document's name, and has a way of its own.
_VEHICLES = frozenset({"waybill", *CARRIERS})


class Walk(msgspec.Struct, kw_only=True):
    """What a walk found: events with their ties, and the things and papers that it went through."""

    thing: str
    events: dict[int, Tie]
    aliases: list[str]
    lots: list[str]
    containers: list[Reach]
    papers: dict[str, Reach]
    ambiguities: list[Ambiguity]
    # where in an event's long lists the thing or its container stands, by event key, field and URI
    positions: dict[int, Positions]
    bodies: dict[int, dict[str, Any]]
    # by which thing each event was found
    found_by: dict[int, bytes]
    truncated: bool = False

    @property
    def parcels(self) -> tuple[str, ...]:
        """The parcels that held the thing by their waybills, each with its other numbers after it."""
        return tuple(dict.fromkeys(r.uri for r in self.containers if document_kind(r.uri) == "waybill"))


async def walk(conn: Connection, thing: str, borrowed: Borrowed) -> Walk:
    """Every event that is about ``thing`` (a canonical URI), with its tie. Reads only, and what is borrowed on trust
    alone: whoever walks settles it at the end.
    """
    found = Findings(conn, thing, borrowed)
    start = [whole_reach(thing, Tie(kind="direct"))]
    if document_kind(thing) and document_kind(thing) not in _VEHICLES:
        rows = await found.rows([start[0].span((*_DIRECT, Role.DOCUMENT, Role.SHARED))])
        await PaperTrail(found).read_itself(start[0], rows)
        return _walked(found)
    rows = await _direct(found, start)
    other_names = await follow_aliases(found, rows)
    if other_names:
        rows += await _direct(found, other_names)
        start += other_names
    await _recalled_whole(found)
    await climb(found, start, rows)
    await _join_lots(found, rows)
    await PaperTrail(found).read()
    return _walked(found)


def _walked(found: Findings) -> Walk:
    return Walk(
        thing=found.thing,
        events=found.events,
        aliases=sorted(found.aliases),
        lots=sorted(found.lots),
        containers=found.containers,
        papers=found.papers,
        ambiguities=found.ambiguities,
        positions=found.positions,
        bodies=found.bodies,
        found_by=found.found_by,
        truncated=found.truncated,
    )


async def _direct(found: Findings, reaches: list[Reach]) -> list[Row]:
    """The events that name the thing itself; of a parcel also those that name its waybill as a paper."""
    roles = (*_DIRECT, Role.DOCUMENT) if document_kind(found.thing) == "waybill" else _DIRECT
    rows = await found.rows([reach.span(roles) for reach in reaches])
    ties = {reach.key: reach.tie for reach in reaches}
    names = {reach.key: reach.uri for reach in reaches}
    for row in rows:
        found.note(row.event_key, ties[row.key])
        found.place(row, names[row.key])
    return rows


async def _recalled_whole(found: Findings) -> None:
    """Words of recalls that name the item's product and no lot of it.

    The product's other events are everybody's orders and no way of the item's.
    """
    names = [name for name in (found.thing, *found.aliases) if "/21/" in name or "/10/" in name]
    products = sorted({match[0] for name in names if (match := _PRODUCT.match(name))})
    if not products:
        return
    uris = {thing_key(uri): uri for uri in products}
    for row in await found.class_recalls(products):
        uri = uris[row.key]
        link = TieLink(kind="product", uri=uri, label=short_label(uri), event_key=row.event_key)
        found.note(row.event_key, Tie(kind="lot", links=(link,)))


async def _join_lots(found: Findings, rows: list[Row]) -> None:
    """Lots that commissioning events bind the item to. Their events are read when the papers are known.

    Anybody may say a lot. Where several are said, the one under which the code was issued here counts, of
    another system's code none does, and the contradiction is named.
    """
    names = {thing_key(uri): uri for uri in (found.thing, *found.aliases)}
    for row in rows:
        if row.role not in (Role.SUBJECT, Role.OUTPUT) or row.event_key in found.withdrawn:
            continue
        for lot in lot_classes(found.bodies.get(row.event_key, {}), [names[row.key]]):
            link = TieLink(kind="lot", uri=lot, label=short_label(lot), event_key=row.event_key)
            found.lots.setdefault(lot, Tie(kind="lot", links=(link,)))
    for uri in names.values():
        await _settle_lot(found, uri)
    if "/10/" in found.thing:
        found.lots.setdefault(found.thing, Tie(kind="direct"))


async def _settle_lot(found: Findings, uri: str) -> None:
    match = ITEM.fullmatch(uri)
    said = sorted(lot for lot in found.lots if match and lot.startswith(f"{_GTIN}{match[1]}/10/"))
    if match is None or len(said) < 2:
        return
    status = (await code_statuses(found.conn, match[1], [match[2]])).get(match[2])
    issued = f"{_GTIN}{match[1]}/10/{encode_value(status['lot'])}" if status is not None else ""
    for lot in said:
        if lot != issued:
            del found.lots[lot]
    found.ambiguities.append(
        Ambiguity(
            code="trace.lot.ambiguous",
            reason_en=f"Events name {len(said)} lots for this item.",
            reason_zh=f"不同事件为这件商品记载了 {len(said)} 个批号。",
            candidates=tuple(short_label(lot) for lot in said),
        )
    )
