"""Upwards: everything that contained the item, level by level, and the inputs it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from suyuan.capture.index import EVENT_TYPES, Role
from suyuan.capture.links import document_kind
from suyuan.capture.payload import list_counts
from suyuan.gs1.thing import thing_key
from suyuan.trace.aliases import under_second_numbers
from suyuan.trace.findings import (
    MAX_REACHED,
    WAYBILL_AFTER,
    WAYBILL_BEFORE,
    Findings,
    Reach,
    short_label,
)
from suyuan.trace.intervals import DELETE, OPEN_END, OPEN_START, Interval, Move, containment
from suyuan.trace.model import Tie, TieLink
from suyuan.trace.rows import Row

MAX_DEPTH = 8
AGGREGATION = EVENT_TYPES["AggregationEvent"]
TRANSFORMATION = EVENT_TYPES["TransformationEvent"]
_ABOUT = (Role.SUBJECT, Role.PARENT, Role.CHILD, Role.DOCUMENT, Role.INPUT, Role.OUTPUT, Role.CLASS)


async def climb(found: Findings, start: list[Reach], rows: list[Row]) -> None:
    """Note the events about all that held the things of ``start``, whose own rows are ``rows``.

    A level's containers are read in the spans that the item's side states; what emptied them meanwhile
    then shortens the spans.
    """
    level, seen = start, set[tuple[object, ...]]()
    for _ in range(MAX_DEPTH):
        moves = _moves(rows)
        stated = _parents(found, level, moves, [])
        inputs = _inputs(found, level, rows)
        if not stated and not inputs:
            return
        rows = await _about(found, [*stated, *inputs])
        emptied = [
            Move(row.time, DELETE, row.key, row.event_key)
            for row in rows
            if row.role == Role.PARENT and row.action == DELETE and row.position == 0
            if row.event_type == AGGREGATION and not row.withdrawn
        ]
        parents = _parents(found, level, moves, emptied) if emptied else stated
        twins, twin_rows = await _second_numbers(found, parents, rows)
        rows += twin_rows
        level = [r for r in (*parents, *twins, *inputs) if (r.key, r.since, r.until) not in seen]
        seen.update((r.key, r.since, r.until) for r in level)
        found.containers += [r for r in level if r.tie.links[-1].kind != "input"]
        _note_within(found, level, rows)
        if len(seen) > MAX_REACHED:
            break
    found.truncated = True


def _moves(rows: Iterable[Row]) -> dict[bytes, list[Move]]:
    """What standing aggregations say of the places of things, by thing."""
    moves: dict[bytes, list[Move]] = {}
    for row in rows:
        if row.role == Role.CHILD and row.event_type == AGGREGATION and not row.withdrawn and row.other:
            moves.setdefault(row.key, []).append(Move(row.time, row.action, row.other, row.event_key))
    return moves


async def _about(found: Findings, level: Sequence[Reach]) -> list[Row]:
    """Rows of these containers or inputs, each since the item's side went into it."""
    return await found.rows([reach.span(_ABOUT) for reach in level])


async def _second_numbers(
    found: Findings, level: list[Reach], rows: list[Row]
) -> tuple[list[Reach], list[Row]]:
    """Parcels of a level under their other waybill numbers, and the rows about those."""
    known = {reach.uri for reach in (*found.containers, *level)}
    twins: list[Reach] = []
    twin_rows: list[Row] = []
    frontier = level
    while frontier:
        frontier = await under_second_numbers(found, frontier, rows, known)
        rows = await _about(found, frontier)
        twins += frontier
        twin_rows += rows
    return twins, twin_rows


def _parents(
    found: Findings, level: list[Reach], moves: Mapping[bytes, list[Move]], emptied: list[Move]
) -> list[Reach]:
    parents = []
    for reach in level:
        mine = moves.get(reach.key, [])
        into = {move.parent for move in mine}
        for interval in containment(mine, [move for move in emptied if move.parent in into]):
            clipped = interval.clipped(reach.since, reach.until)
            if clipped is not None:
                parents.append(_contained(found, reach, clipped, interval))
    return parents


def _contained(found: Findings, reach: Reach, interval: Interval, whole: Interval) -> Reach:
    uri = found.uris[interval.parent]
    since, until, opened = interval.since, interval.until, whole.since
    if document_kind(uri) == "waybill":
        anchor = interval.since if interval.since != OPEN_START else interval.until
        opened = since = anchor - WAYBILL_BEFORE
        until = anchor + WAYBILL_AFTER
    link = TieLink(
        kind=_link_kind_of(uri),
        uri=uri,
        label=short_label(uri),
        since=None if interval.since == OPEN_START else interval.since,
        until=None if interval.until == OPEN_END else interval.until,
        event_key=interval.opened_by or interval.closed_by,
    )
    return Reach(
        key=interval.parent,
        uri=uri,
        since=since,
        until=until,
        opened=opened,
        tie=Tie(kind="containment", links=(*reach.tie.links, link)),
    )


def _link_kind_of(uri: str) -> str:
    kind = document_kind(uri)
    if kind:
        return kind
    if uri.startswith("https://id.gs1.org/00/"):
        return "pallet"
    if "/10/" in uri:
        return "lot"
    return "package" if uri.startswith("https://id.gs1.org/01/") else "thing"


def _inputs(found: Findings, level: list[Reach], rows: list[Row]) -> list[Reach]:
    """What a transformation made the thing from, up to the moment of the transformation."""
    reaches = {reach.key: reach for reach in level}
    inputs = []
    for row in rows:
        if row.role != Role.OUTPUT or row.event_type != TRANSFORMATION or row.withdrawn:
            continue
        reach, body = reaches[row.key], found.bodies.get(row.event_key, {})
        # Hundreds of inputs lie apart; one by one they are nobody's way.
        found.truncated |= "inputEPCList" in list_counts(body)
        names = list(body.get("inputEPCList") or ())
        names += [element["epcClass"] for element in body.get("inputQuantityList") or ()]
        for uri in names:
            link = TieLink(
                kind="input", uri=uri, label=short_label(uri), until=row.time, event_key=row.event_key
            )
            inputs.append(
                Reach(
                    key=thing_key(uri),
                    uri=uri,
                    since=OPEN_START,
                    until=min(row.time, reach.until),
                    tie=Tie(kind="transformation", links=(*reach.tie.links, link)),
                )
            )
    return inputs


def _note_within(found: Findings, level: list[Reach], rows: list[Row]) -> None:
    """Note the events about the containers or inputs of a level, each within its span."""
    by_key: dict[bytes, list[Reach]] = {}
    for reach in level:
        by_key.setdefault(reach.key, []).append(reach)
    for row in rows:
        # A container's own packing list names other goods; ours is found from our side.
        if row.role == Role.PARENT and row.event_type == AGGREGATION and row.position > 0:
            continue
        for reach in by_key.get(row.key, ()):
            if reach.since <= row.time <= reach.until:
                found.note(row.event_key, reach.tie)
                found.place(row, reach.uri)
