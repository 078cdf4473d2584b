"""All findings in one list: what does not add up, over the newest goods and events.

Computed at read time, so a paper that comes late makes its finding go; nothing is kept, there is no second truth. The
search is bounded (``Bounds``) and says so: quantities are balanced for the newest lots, stock is read for the newest
products and for some seconds, legs are judged on one item of each of these lots and on the items packed last,
contradictions are looked for among the newest events. Ask for one lot to look at an older one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import asyncpg
import msgspec

from suyuan.capture.payload import read_body
from suyuan.compliance.coverage import coverage_seen
from suyuan.compliance.findings_goods import (
    consignment_findings,
    leg_findings,
    recall_findings,
    reuse_findings,
)
from suyuan.compliance.findings_model import KINDS, Evidence, Judged, ListedFinding, finding_id_of
from suyuan.compliance.findings_quantities import quantity_findings
from suyuan.compliance.findings_stock import stock_findings
from suyuan.compliance.legs import Profile
from suyuan.compliance.stock import StockQuery
from suyuan.compliance.stock_model import Stock
from suyuan.db.pool import Pool, sql
from suyuan.gs1.percent import encode_value
from suyuan.trace.read import OPERATOR, TraceReader, Viewer

_GTIN = "https://id.gs1.org/01/"
# A code that was never put to use owes nothing.
_NOT_IN_USE = frozenset({"issued", "unknown", "voided", "commissioned"})


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far the list looks: newest events, lots, packings, products in stock, and seconds for these."""

    events: int = 20_000
    lots: int = 24
    items: int = 24
    goods: int = 4
    stock_seconds: float = 4.0


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """The findings with how much was looked at."""

    findings: tuple[ListedFinding, ...]
    lots: int
    items: int
    events: int
    stock_whole: bool = True


class Scope(msgspec.Struct, frozen=True):
    """For whom: the viewer, its party, whether it may see the quantities of a GTIN, and what it sees of stock.

    Where nobody says that, a viewer that sees the whole sees all stock, and any other none.
    """

    viewer: Viewer
    party_id: str
    may_balance: Callable[[str], bool]
    stock_seen: Callable[[Stock], Awaitable[Stock]] | None = None


async def list_findings(
    pool: Pool,
    reader: TraceReader,
    profiles: Sequence[Profile],
    now: datetime,
    scope: Scope,
    *,
    gtin: str = "",
    lot: str = "",
    bounds: Bounds | None = None,
) -> FindingList:
    """The findings that the scope may see, of one lot or of the newest ones, the most pressing kinds first."""
    bounds = bounds or Bounds()
    lots = await pool.fetch(sql(__package__, "recent_lots"), bounds.lots, gtin if lot else "", lot)
    packed = await _packed_items(pool, bounds, f"{_GTIN}{gtin}/21/" if gtin else "")
    samples = [_item(row["gtin"], row["serial"]) for row in lots if row["serial"]]
    judged: dict[str, Judged] = {}
    for item in dict.fromkeys([*packed, *samples]):
        one = await _judge(reader, profiles, now, scope, item)
        if one is not None and (not lot or one.trace.lot == lot):
            judged[item] = one
    found: list[ListedFinding] = []
    found += await quantity_findings(pool, scope.may_balance, lots, judged)
    queries = _stock_queries(scope, lots, gtin, lot, bounds)
    look = await stock_findings(pool, queries, scope.stock_seen or _everything, found, bounds.stock_seconds)
    found += look.findings
    found += leg_findings(judged)
    found += recall_findings(judged)
    found += reuse_findings(judged)
    if scope.viewer.whole:  # a consignment is many people's
        found += await consignment_findings(pool, judged)
    if not lot:
        found += await _conflicts(pool, scope, bounds)
    order = {kind: position for position, kind in enumerate(KINDS)}
    found.sort(key=lambda one: (order[one.kind], one.code, one.finding_id))
    return FindingList(
        findings=tuple(found),
        lots=len(lots),
        items=len(judged),
        events=bounds.events,
        stock_whole=look.whole,
    )


async def _everything(stock: Stock) -> Stock:
    return stock


def _stock_queries(
    scope: Scope, lots: Sequence[asyncpg.Record], gtin: str, lot: str, bounds: Bounds
) -> list[StockQuery]:
    """The lot that is asked for, else the products of the newest lots, of those whose quantities may be seen."""
    if scope.stock_seen is None and not scope.viewer.whole:
        return []
    if lot:
        return [StockQuery(gtin=gtin, lot=lot)] if gtin and scope.may_balance(gtin) else []
    goods = [one for one in dict.fromkeys(row["gtin"] for row in lots) if scope.may_balance(one)]
    return [StockQuery(gtin=one) for one in goods[: bounds.goods]]


def _item(gtin: str, serial: str) -> str:
    return f"{_GTIN}{gtin}/21/{encode_value(serial)}"


async def _packed_items(pool: Pool, bounds: Bounds, prefix: str) -> list[str]:
    """One item of each of the parcels that were packed last."""
    rows = await pool.fetch(sql(__package__, "recent_packings"), bounds.events, bounds.items)
    found = []
    for row in rows:
        items = [
            uri for uri in read_body(row["body"]).get("childEPCs") or () if uri.startswith(prefix or _GTIN)
        ]
        found += items[:1]
    return found


async def _judge(
    reader: TraceReader, profiles: Sequence[Profile], now: datetime, scope: Scope, item: str
) -> Judged | None:
    readings = await reader.read_views(item, OPERATOR, scope.viewer)
    if not readings or not readings[1].trace.facts:
        return None
    if readings[0].trace.state in _NOT_IN_USE:
        return None
    coverage = coverage_seen(readings[0], readings[1], profiles, now)
    return Judged(readings[1].trace, coverage.legs)


# -- contradictions ---------------------------------------------------------------------------------------------


async def _conflicts(pool: Pool, scope: Scope, bounds: Bounds) -> list[ListedFinding]:
    rows = await pool.fetch(sql(__package__, "recent_conflicts"), bounds.events, 200)
    return [
        _conflict(row)
        for row in rows
        if scope.viewer.whole or scope.party_id in (row["party_id"], row["other_party"])
    ]


def _conflict(row: asyncpg.Record) -> ListedFinding:
    def said(side: int, party: str, recorded: datetime, happened: datetime) -> Evidence:
        day, when = happened.date().isoformat(), recorded.date().isoformat()
        return Evidence(
            side=side,
            en=f"{party}: happened on {day}, recorded on {when}",
            zh=f"{party}：发生于 {day}，录入于 {when}",
        )

    return ListedFinding(
        finding_id=finding_id_of("contradiction", "event.conflict", row["event_id"], row["party_id"]),
        kind="contradiction",
        code="event.conflict",
        reason_en=f"{row['other_party']} and {row['party_id']} gave different contents under one event ID.",
        reason_zh=f"{row['other_party']} 与 {row['party_id']} 在同一事件编号下提交了不同内容。",
        owed_by="",
        parties=(row["other_party"], row["party_id"]),
        since=row["record_time"],
        evidence=(
            said(0, row["other_party"], row["other_record_time"], row["other_event_time"]),
            said(1, row["party_id"], row["record_time"], row["event_time"]),
        ),
        event_keys=(row["other_key"], row["event_key"]),
    )
