"""How codes stand right now, and what that means for an act. Two or three statements, whatever the number of codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from suyuan.capture.index import LOT_ATTRIBUTE, key_of
from suyuan.capture.links import document_kind
from suyuan.capture.payload import read_body
from suyuan.compliance.stations.model import Act, ActKind, Finding, goods_key, gtin_of
from suyuan.db.pool import Connection, sql
from suyuan.gs1.percent import encode_value
from suyuan.issuing import code_statuses
from suyuan.trace.state import RECALL_ROLES

_DISP = "https://ref.gs1.org/cbv/Disp-"
_RECALL_WORDS = (f"{_DISP}recalled", "urn:suyuan:disp:recall_lifted")
# What bars a thing from a buyer's parcel, worst first.
_BARRING = {
    f"{_DISP}destroyed": "station.code.destroyed",
    f"{_DISP}disposed": "station.code.destroyed",
    f"{_DISP}damaged": "station.code.damaged",
    f"{_DISP}inactive": "station.code.voided",
}
_BOUND_FOR_SALE: frozenset[ActKind] = frozenset({"pack"})
_CONTAINING: frozenset[ActKind] = frozenset({"pack", "nest"})
_VOIDED_REFUSED: frozenset[ActKind] = frozenset({"pack", "nest", "receive", "store"})


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as it stands: ``lot`` and ``acts`` of its code, the container that it is in, what bars it.

    ``foreign``: no codes of its GTIN are issued here, so that nobody here can say that there is no such code.
    """

    uri: str
    known: bool = False
    foreign: bool = False
    lot: str = ""
    acts: tuple[str, ...] = ()
    parent: str = ""
    bars: tuple[str, ...] = ()
    recalled: bool = False


async def standings_of(conn: Connection, uris: Sequence[str]) -> dict[str, Standing]:
    """How these things stand, by URI, in the order given."""
    things = list(dict.fromkeys(uris))
    keys = {key_of(uri): uri for uri in things}
    rows = {
        keys[row["key"]]: row
        for row in await conn.fetch(sql(__package__, "standing"), list(keys), list(_BARRING))
    }
    codes = await _codes(conn, things)
    lots = {uri: codes[uri]["lot"] for uri in codes}
    foreign = [key for key, uri in keys.items() if uri not in codes and goods_key(uri)[1]]
    if foreign:
        for row in await conn.fetch(sql(__package__, "commissionings"), foreign):
            ilmd = read_body(row["body"]).get("ilmd")
            lots[keys[row["key"]]] = ilmd.get(LOT_ATTRIBUTE, "") if isinstance(ilmd, dict) else ""
    recalled = await _recalled(conn, things, lots)
    unknown = {gtin_of(uri) for uri in things if uri not in codes and not rows[uri]["known"]}
    issued = {row["gtin"] for row in await conn.fetch(sql(__package__, "issued_gtins"), sorted(unknown))}
    return {
        uri: Standing(
            uri=uri,
            known=uri in codes or rows[uri]["known"],
            foreign=gtin_of(uri) not in issued,
            lot=lots.get(uri, ""),
            acts=tuple(codes[uri]["acts"]) if uri in codes else (),
            parent=rows[uri]["parent_uri"] or "",
            bars=_bars(rows[uri]),
            recalled=uri in recalled,
        )
        for uri in things
    }


def _bars(row: asyncpg.Record) -> tuple[str, ...]:
    said = set(row["dispositions"] or ())
    return tuple(dict.fromkeys(code for word, code in _BARRING.items() if word in said))


async def _codes(conn: Connection, uris: Iterable[str]) -> dict[str, asyncpg.Record]:
    by_gtin: dict[str, dict[str, str]] = {}
    for uri in uris:
        gtin, serial = goods_key(uri)
        if serial:
            by_gtin.setdefault(gtin, {})[serial] = uri
    found = {}
    for gtin, serials in by_gtin.items():
        for serial, row in (await code_statuses(conn, gtin, list(serials))).items():
            found[serials[serial]] = row
    return found


async def _recalled(conn: Connection, uris: Iterable[str], lots: dict[str, str]) -> set[str]:
    """Which things are recalled, themselves or with their lot: the last word on either counts."""
    asked: dict[bytes, str] = {}
    of: dict[str, list[bytes]] = {}
    for uri in uris:
        gtin = gtin_of(uri)
        names = [uri]
        if lots.get(uri):
            names.append(f"https://id.gs1.org/01/{gtin}/10/{encode_value(lots[uri])}")
        of[uri] = [key_of(name) for name in names]
        asked.update(dict.fromkeys(of[uri], gtin))
    rows = await conn.fetch(
        sql(__package__, "recalls"),
        list(asked),
        list(asked.values()),
        list(_RECALL_WORDS),
        list(RECALL_ROLES),
    )
    words = {row["key"]: (row["event_time"], row["recalled"]) for row in rows}
    return {
        uri for uri, keys in of.items() if max((words[key] for key in keys if key in words), default=(0, False))[1]
    }  # fmt: skip


def findings_of(act: Act, standings: Iterable[Standing], parcel: str = "") -> list[Finding]:
    """What forbids the act, one finding for each thing, the most pressing; ``parcel`` is the parcel's pseudonym."""
    found = []
    for one in standings:
        code = _finding(act, one, parcel)
        if code:
            found.append(Finding(code=code, uri=one.uri))
    return found


def _finding(act: Act, one: Standing, parcel: str) -> str:
    gtin, serial = goods_key(one.uri)
    # A maker that reports nothing here has codes all the same: its goods can be received, and not sold.
    if serial and not one.known and (act.kind in _CONTAINING or not one.foreign):
        return "station.code.unknown"
    if act.kind in _VOIDED_REFUSED and "voided" in one.acts:
        return "station.code.voided"
    if act.kind in _BOUND_FOR_SALE:
        if one.recalled:
            return "station.code.recalled"
        if one.bars:
            return one.bars[0]
    if act.gtin and serial and gtin != act.gtin:
        return "station.sku.wrong"
    if act.lot and one.lot and one.lot != act.lot:
        return "station.code.other_lot"
    inside = document_kind(one.parent) == "waybill"
    if act.kind in _CONTAINING and inside:
        return "station.code.here" if parcel and one.parent == parcel else "station.code.packed"
    if act.kind == "unpack" and one.parent and one.parent != (parcel or act.parent):
        return "station.code.elsewhere"
    return ""
