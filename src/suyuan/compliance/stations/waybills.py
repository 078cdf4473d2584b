"""Which parcel a scanned waybill means, what is in it, and what was ordered.

A waybill's barcode says its number and not whose number it is. Where papers named the number before (a waybill
message, a declaration), the courier is known from them; else it is the one that was chosen at the station. Couriers
use numbers again after half a year, so older papers and packings do not count.

Nothing of this leads to a person: the station holds the parcel in its hands, and gets goods for its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from suyuan.capture.index import ACTIONS, EVENT_TYPES, documents_of
from suyuan.capture.links import document_kind, plural_kinds
from suyuan.capture.payload import read_body
from suyuan.compliance.stations.model import gtin_of
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError
from suyuan.gs1.thing import thing_key
from suyuan.trace.findings import WAYBILL_AFTER
from suyuan.vault import Vault

_NAMED = ("order", "parcel-list")
_AGGREGATION = EVENT_TYPES["AggregationEvent"]


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel: ``courier`` whose number it is, ``pseudonym``, what was ordered (pieces by GTIN) and what is in it.

    ``expected`` is empty where no paper says it; ``packed`` are canonical URIs. ``papers`` are the pseudonyms of its
    order and its declared list: what packs a parcel names them, so that exit lists and parcels can be set side by side.
    """

    courier: str
    pseudonym: str
    expected: dict[str, int] = {}
    packed: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()


async def find_parcel(
    conn: Connection, vault: Vault, number: str, couriers: Sequence[str], chosen: str, now: datetime
) -> Parcel:
    """The parcel of a waybill number. ``couriers`` are the customs codes of all couriers, ``chosen`` the station's.

    Raises ``InputError`` (``station.courier.unknown``) where papers do not tell the courier and none was chosen.
    """
    candidates = {code: vault.pseudonym("waybill", code, number) for code in dict.fromkeys([*couriers, ""])}
    keys = {thing_key(uri): code for code, uri in candidates.items()}
    rows = await conn.fetch(sql(__package__, "known_keys"), list(keys))
    named = {keys[row["key"]] for row in rows}
    if len(named) == 1:
        [courier] = named
    elif chosen and (not named or chosen in named):
        courier = chosen
    else:
        raise InputError(
            "station.courier.unknown",
            "Papers do not tell whose waybill this is, and no courier is chosen at the station.",
            path="courier",
            remedy="Choose the courier.",
        )
    pseudonym = candidates.get(courier) or vault.pseudonym("waybill", courier, number)
    if courier not in named:
        return Parcel(courier=courier, pseudonym=pseudonym)
    said = await conn.fetch(sql(__package__, "parcel"), thing_key(pseudonym), now - WAYBILL_AFTER)
    papers = [row for row in said if row["event_type"] != _AGGREGATION]
    return Parcel(
        courier=courier,
        pseudonym=pseudonym,
        expected=_expected(papers),
        papers=_papers(papers, pseudonym),
        packed=_packed([row for row in said if row["event_type"] == _AGGREGATION], pseudonym),
    )


def _expected(papers: Sequence[Any]) -> dict[str, int]:
    """Pieces by GTIN, of the newest paper that still stands; a declaration counts before an order."""
    for step in ("urn:suyuan:bizstep:declaring", "urn:suyuan:bizstep:ordering"):
        of_step = [paper for paper in papers if paper["biz_step"] == step]
        if of_step and of_step[-1]["action"] != ACTIONS["DELETE"]:
            found: dict[str, int] = {}
            for element in read_body(of_step[-1]["body"]).get("quantityList") or ():
                gtin, pieces = gtin_of(element.get("epcClass", "")), _whole(element)
                if not gtin or pieces is None:
                    return {}
                found[gtin] = found.get(gtin, 0) + pieces
            if found:
                return found
    return {}


def _papers(papers: Sequence[Any], parcel: str) -> tuple[str, ...]:
    """Order and list of the newest paper that names this parcel and one of each."""
    for paper in reversed(papers):
        documents = documents_of(read_body(paper["body"]))
        kinds = [document_kind(uri) for uri in documents]
        if parcel in documents and paper["action"] != ACTIONS["DELETE"] and not plural_kinds(documents):
            return tuple(uri for uri, kind in zip(documents, kinds, strict=True) if kind in _NAMED)
    return ()


def _whole(element: dict[str, Any]) -> int | None:
    """A number of pieces; None for what is weighed or measured."""
    quantity = element.get("quantity")
    text = quantity.get("#number") if isinstance(quantity, dict) else quantity
    try:
        pieces = Decimal(str(text))
    except InvalidOperation:
        return None
    return int(pieces) if not element.get("uom") and pieces == int(pieces) and pieces > 0 else None


def _packed(events: Sequence[Any], parcel: str) -> tuple[str, ...]:
    inside: dict[str, None] = {}
    for event in events:
        body = read_body(event["body"])
        if body.get("parentID") != parcel:
            continue
        children = body.get("childEPCs") or ()
        if event["action"] == ACTIONS["DELETE"]:
            gone = children or list(inside)
            inside = {uri: None for uri in inside if uri not in gone}
        else:
            inside.update(dict.fromkeys(children))
    return tuple(inside)


async def list_couriers(db: Pool | Connection) -> list[tuple[str, str, str]]:
    """Customs code, English and Chinese name of every courier that has a code."""
    rows = await db.fetch(sql(__package__, "couriers"))
    return [(row["customs_code"], row["name_en"], row["name_zh"]) for row in rows]
