"""Other codes of the same thing, where whoever said so had a right to.

A hostile alias must not merge two items: an aliasing event counts only if the party that captured it issued one of
the two codes or was the first to commission one; of a parcel, if it moved the parcel.
"""

from __future__ import annotations

import re

import msgspec

from suyuan.capture.index import Role
from suyuan.capture.links import document_kind
from suyuan.db.pool import sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.findings import ALIASING, WAYBILL_AFTER, Findings, Reach, short_label, whole_reach
from suyuan.trace.model import Tie, TieLink
from suyuan.trace.rows import Row

ITEM = re.compile(r"https://id\.gs1\.org/01/(\d{14})/21/([^/?#]+)")


async def follow_aliases(found: Findings, rows: list[Row]) -> list[Reach]:
    """The thing under its other codes, as these rows of its own events say."""
    named: dict[str, Reach] = {}
    for row in rows:
        body = found.bodies.get(row.event_key, {})
        if body.get("bizStep") != ALIASING or row.event_key in found.withdrawn or row.role != Role.SUBJECT:
            continue
        names = [uri for uri in body.get("epcList", ()) if uri != found.thing]
        if len(names) == 1 and await _may_alias(found, row, [found.thing, *names]):
            link = TieLink(kind="alias", uri=names[0], label=short_label(names[0]), event_key=row.event_key)
            named[names[0]] = whole_reach(names[0], Tie(kind="alias", links=(link,)))
    found.aliases = sorted(named)
    return [named[uri] for uri in found.aliases]


async def _may_alias(found: Findings, said: Row, uris: list[str]) -> bool:
    for uri in uris:
        # Whose word counts may change with what is said of the other name later.
        found.borrowed.watch(thing_key(uri))
    parcels = [document_kind(uri) == "waybill" for uri in uris]
    if any(parcels):
        return all(parcels) and bool(
            await found.conn.fetchval(
                sql("suyuan.trace", "may_alias_parcel"),
                said.event_key,
                [thing_key(uri) for uri in uris],
                said.time - WAYBILL_AFTER,
                said.time + WAYBILL_AFTER,
            )
        )
    codes = [match.groups() if (match := ITEM.fullmatch(uri)) else None for uri in uris]
    return bool(
        await found.conn.fetchval(
            sql("suyuan.trace", "may_alias"),
            said.event_key,
            [thing_key(uri) for uri in uris],
            [code[0] if code else "" for code in codes],
            [code[1] if code else "" for code in codes],
        )
    )


def _numbers_said(found: Findings, level: list[Reach], rows: list[Row]) -> list[tuple[Row, Reach, str]]:
    """What rows about parcels say of other numbers of them: who says it, of which parcel, which number."""
    said = []
    for row in rows:
        body = found.bodies.get(row.event_key, {})
        if row.role != Role.SUBJECT or row.withdrawn or body.get("bizStep") != ALIASING:
            continue
        for reach in level:
            others = [uri for uri in body.get("epcList") or () if uri != reach.uri]
            if reach.key == row.key and reach.since <= row.time <= reach.until and len(others) == 1:
                said.append((row, reach, others[0]))
    return said


async def under_second_numbers(
    found: Findings, level: list[Reach], rows: list[Row], known: set[str]
) -> list[Reach]:
    """Parcels of a level under their other waybill numbers, those in ``known`` left out.

    A courier abroad and one at home number the same parcel; one of them says so in an aliasing event.
    """
    new = []
    for row, reach, uri in _numbers_said(found, level, rows):
        if uri not in known and await _may_alias(found, row, [reach.uri, uri]):
            known.add(uri)
            new.append(_renumbered(reach, uri, row))
    return new


def _renumbered(reach: Reach, uri: str, said: Row) -> Reach:
    link = TieLink(kind=document_kind(uri), uri=uri, label=short_label(uri), event_key=said.event_key)
    return msgspec.structs.replace(
        reach, key=thing_key(uri), uri=uri, tie=Tie(kind=reach.tie.kind, links=(*reach.tie.links, link))
    )
