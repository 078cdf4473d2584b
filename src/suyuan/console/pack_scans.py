"""What a scan at a station means: the sentence of a scanner, turned into goods or a waybill, and how they stand.

A scan is looked at before anything is done with it; looking changes nothing and may be repeated. The waybill's number
comes in a body and is answered with the courier and the goods, never with itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from suyuan.catalog import find_products
from suyuan.compliance.cities import load_cities
from suyuan.compliance.stations import (
    Act,
    Part,
    find_drawn,
    find_parcel,
    findings_of,
    goods_key,
    lots_at_hand,
    standings_of,
)
from suyuan.compliance.stations.model import ActKind, gtin_of
from suyuan.console.recognition import recognise, tidy
from suyuan.db.pool import Connection, Pool, reading
from suyuan.errors import InputError
from suyuan.gs1.percent import decode_value
from suyuan.trace import PUBLIC, TraceReader
from suyuan.vault import Vault

_WAYBILL = re.compile(r"[A-Z0-9][A-Z0-9-]{5,39}")
_CITY_CODE = re.compile(r"[0-9A-Za-z.-]{8,40}")
_ITEMS = "https://id.gs1.org/01/"
_ITEM, _LOT, _CLASS, _SSCC = "item", "lot", "class", "sscc"
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Scan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scan with what the station holds at that moment. ``want`` is what the station waits for."""

    scan: str
    text: str
    kind: ActKind = "pack"
    want: Literal["waybill", "goods", "parent"] = "goods"
    waybill: str = ""
    courier: str = ""
    parent: str = ""
    gtin: str = ""
    lot: str = ""


def goods_of(text: str) -> tuple[str, str]:
    """The kind (``item``, ``lot``, ``class``, ``sscc``) and canonical URI of scanned goods; empty where it is none."""
    for guess in recognise(text).guesses:
        uri = guess.uri
        if uri.startswith("https://id.gs1.org/01/"):
            tail = uri[len("https://id.gs1.org/01/") + 14 :]
            return (_ITEM if tail.startswith("/21/") else _LOT if tail.startswith("/10/") else _CLASS), uri
        if uri.startswith("https://id.gs1.org/00/"):
            return _SSCC, uri
    return "", ""


def waybill_of(text: str) -> str:
    """The waybill number of a scan, or nothing where it has not the form of one."""
    number = tidy(text).upper()
    return number if _WAYBILL.fullmatch(number) else ""


def foreign_of(text: str) -> list[str]:
    """The names that a scan may have as another system's code: a label number, a city's code, an address."""
    word = tidy(text)
    guesses = [guess.uri for guess in recognise(text).guesses]
    labels = [uri for uri in guesses if uri.startswith("urn:suyuan:label:")]
    if word.lower().startswith(("http://", "https://")):
        system, _, code = urlsplit(word).path.partition("/label/")[2].partition("/")
        named = [f"urn:suyuan:label:{system}:{code}"] if system and code else []
        return [*named, *(uri for uri in guesses if not uri.startswith("https://id.gs1.org/"))]
    if _CITY_CODE.fullmatch(word):
        labels += [f"urn:suyuan:label:city-{city.division}:{word}" for city in load_cities() if city.division]
    return list(dict.fromkeys(labels))


async def item_under(reader: TraceReader, text: str) -> str:
    """The one item that bears another system's code, by the aliases that the public's trace follows; else nothing."""
    found: set[str] = set()
    for uri in foreign_of(text):
        trace = await reader.read(uri, PUBLIC)
        if trace is not None:
            found.update(alias for alias in trace.aliases if alias.startswith(_ITEMS) and "/21/" in alias)
    return found.pop() if len(found) == 1 else ""


async def look(
    reader: TraceReader, vault: Vault, scan: Scan, *, party_id: str, couriers: Sequence[str]
) -> dict[str, Any]:
    """What a scan is, for the station: ``ok`` or the ``code`` of its refusal, with what the station goes on with."""
    pool = reader.pool
    if scan.want == "waybill":
        return await _waybill(pool, vault, scan, couriers)
    kind, uri = goods_of(scan.text)
    # Eighteen digits may be a pallet's number and a city's code: into a parcel goes no pallet.
    if (not kind or (kind == _SSCC and scan.kind == "pack")) and (
        item := await item_under(reader, scan.text)
    ):
        kind, uri = _ITEM, item
    if not kind:
        # Nearly anything has the form of some city's code.
        known = [uri for uri in foreign_of(scan.text) if not uri.startswith("urn:suyuan:label:city-")]
        return {"ok": False, "code": "station.code.unknown" if known else "station.code.unread"}
    async with reading(pool) as conn:
        found = await _thing(conn, vault, scan, kind, uri, party_id)
        if kind in (_CLASS, _LOT):
            found["lots"] = await lots_at_hand(conn, gtin_of(uri), party_id)
    return found


async def _waybill(pool: Pool, vault: Vault, scan: Scan, couriers: Sequence[str]) -> dict[str, Any]:
    number = waybill_of(scan.text)
    if not number:
        return {"ok": False, "code": "station.waybill.form"}
    async with reading(pool) as conn:
        goods = gtin_of(goods_of(scan.text)[1])
        if goods and await find_products(conn, [goods]):
            return {"ok": False, "code": "station.waybill.first"}
        try:
            parcel = await find_parcel(conn, vault, number, couriers, scan.courier, datetime.now(UTC))
        except InputError as error:
            return {"ok": False, "code": error.code}
        names = await _names(conn, list(parcel.expected))
    return {
        "ok": True,
        "kind": "waybill",
        "courier": parcel.courier,
        "packed": [goods_key(uri)[0] for uri in parcel.packed],
        "expected": [{"gtin": gtin, "n": n, **names.get(gtin, {})} for gtin, n in parcel.expected.items()],
    }


async def _names(conn: Connection, gtins: Sequence[str]) -> dict[str, dict[str, str]]:
    found = await find_products(conn, gtins) if gtins else {}
    return {gtin: {"zh": product.name_zh, "en": product.name_en} for gtin, product in found.items()}


async def _thing(
    conn: Connection, vault: Vault, scan: Scan, kind: str, uri: str, party_id: str
) -> dict[str, Any]:
    gtin, serial = goods_key(uri)
    gtin = gtin or gtin_of(uri)
    names = await _names(conn, [gtin]) if gtin else {}
    lot = decode_value(uri.rpartition("/10/")[2]) if kind == _LOT else ""
    found: dict[str, Any] = {"ok": True, "kind": kind, "uri": uri, "gtin": gtin, **names.get(gtin, {})}
    # A recall names the lot; the lot's own standing is that of any thing.
    if kind in (_ITEM, _LOT, _SSCC) and scan.want == "goods":
        [standing] = (await standings_of(conn, [uri])).values()
        parcel = vault.pseudonym("waybill", scan.courier, scan.waybill) if scan.waybill else ""
        act = Act(
            act_id="", kind=scan.kind, at=_MOMENT, parent=scan.parent, parts=(Part(uri=uri),), gtin=scan.gtin,
            lot=scan.lot,
        )  # fmt: skip
        refused = findings_of(act, [standing], parcel)
        lot = lot or standing.lot
        if refused:
            found |= {"ok": False, "code": refused[0].code}
        inactive = bool(serial) and bool(standing.acts) and "activated" not in standing.acts
        # A label that was drawn here is made active by the parcel that it goes into.
        found["inactive"] = inactive and not await find_drawn(conn, [uri], party_id)
    return {**found, "lot": lot, "serial": serial}
