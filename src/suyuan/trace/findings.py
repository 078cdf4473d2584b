"""What a walk has found so far, and how it reads on. The parts of a walk share one ``Findings``."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from suyuan.capture.index import Role
from suyuan.capture.links import document_kind, document_number
from suyuan.db.pool import Connection
from suyuan.gs1.thing import thing_key
from suyuan.trace.claims import Positions
from suyuan.trace.intervals import OPEN_END, OPEN_START
from suyuan.trace.model import Ambiguity, Tie, TieLink
from suyuan.trace.rows import (
    Link,
    Row,
    Span,
    SpanRows,
    fetch_class_recalls,
    fetch_links,
    fetch_rows,
    link_order,
    mask_of,
    order_of,
)
from suyuan.trace.shared import RECALLS, Borrowed

MAX_REACHED = 400
# What rows take in a process: a frame, and each of them with its share of an event's body.
_ROWS_BYTES, _ROW_BYTES = 600, 900
# A courier may use a waybill number again after six months (customs specification of the waybill message).
WAYBILL_BEFORE = timedelta(days=60)
WAYBILL_AFTER = timedelta(days=120)

ALIASING = "urn:suyuan:bizstep:aliasing"
_PRECEDENCE = {"direct": 0, "alias": 1, "containment": 2, "transformation": 3, "lot": 4, "document": 5}
_FIELDS = {
    Role.SUBJECT: "epcList",
    Role.CHILD: "childEPCs",
    Role.INPUT: "inputEPCList",
    Role.OUTPUT: "outputEPCList",
}


class Reach(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A thing on the item's way, in the span in which it belongs to it, with the links that lead there.

    ``opened`` is when that which ties it to the item began, which may be before ``since``.
    """

    key: bytes
    uri: str
    since: datetime
    until: datetime
    tie: Tie
    opened: datetime = OPEN_END

    def span(self, roles: Iterable[Role]) -> Span:
        """This thing in these roles, from when its tie began."""
        return Span(self.key, min(self.opened, self.since), self.until, tuple(roles))


def whole_reach(uri: str, tie: Tie) -> Reach:
    """A thing in all its time."""
    return Reach(key=thing_key(uri), uri=uri, since=OPEN_START, until=OPEN_END, tie=tie)


def short_label(uri: str) -> str:
    """What a person calls a thing: its SSCC, serial, lot or number."""
    if uri.startswith("https://id.gs1.org/"):
        return uri.rsplit("/", 1)[-1]
    return document_number(uri)


def tie_rank(tie: Tie) -> tuple[int, int, tuple[str, ...]]:
    """The smaller, the nearer."""
    return _PRECEDENCE[tie.kind], len(tie.links), tuple(link.uri for link in tie.links)


class Findings:
    """The state of one walk over one connection. It is the walk's own; nothing is written."""

    def __init__(self, conn: Connection, thing: str, borrowed: Borrowed) -> None:
        self.conn = conn
        self.thing = thing
        self.borrowed = borrowed
        self._key = thing_key(thing)
        # By which thing each event was found: where that thing got no rows, the event got no relatives.
        self.found_by: dict[int, bytes] = {}
        self.events: dict[int, Tie] = {}
        self.bodies: dict[int, dict[str, Any]] = {}
        self.uris: dict[bytes, str] = {}
        self.withdrawn: set[int] = set()
        self.positions: dict[int, Positions] = {}
        self.truncated = False
        self.aliases: list[str] = []
        self.lots: dict[str, Tie] = {}
        self.containers: list[Reach] = []
        self.papers: dict[str, Reach] = {}
        self.ambiguities: list[Ambiguity] = []

    async def rows(self, spans: list[Span]) -> list[Row]:
        """Index rows of these spans; what they lead to is remembered."""
        for span in spans:
            self.borrowed.watch(span.key)
        names = [("rows", span.key, span.since, span.until, mask_of(span)) for span in spans]
        known: dict[Hashable, Any] = {name: self.borrowed.take(name) for name in names}
        missing = {name: span for name, span in zip(names, spans, strict=True) if known[name] is None}
        fresh = await fetch_rows(self.conn, list(missing.values()), self.bodies)
        for (name, span), read in zip(missing.items(), fresh, strict=True):
            known[name] = read
            if span.key != self._key:
                self.borrowed.give(name, span.key, read, _ROWS_BYTES + _ROW_BYTES * len(read.rows))
        rows: list[Row] = []
        for name in names:
            rows += self._learn(known[name])
        if len(names) > 1:
            rows.sort(key=order_of)
        return rows

    def _learn(self, read: SpanRows) -> tuple[Row, ...]:
        self.truncated |= read.truncated
        self.uris.update(read.uris)
        self.bodies.update(read.bodies)
        self.withdrawn.update(read.withdrawn)
        for row in read.rows:
            self.found_by.setdefault(row.event_key, row.key)
        return read.rows

    async def class_recalls(self, classes: list[str]) -> list[Row]:
        """What words of recalls say of these products as a whole."""
        self.borrowed.watch(RECALLS)
        keys = [thing_key(uri) for uri in classes]
        known: dict[bytes, Any] = {key: self.borrowed.take(("recalls", key)) for key in keys}
        missing = [key for key in keys if known[key] is None]
        if missing:
            fresh = await fetch_class_recalls(self.conn, missing, self.bodies)
            for key, read in zip(missing, fresh, strict=True):
                known[key] = read
                self.borrowed.give(("recalls", key), RECALLS, read, _ROWS_BYTES + _ROW_BYTES * len(read.rows))
        rows = [row for key in keys for row in self._learn(known[key])]
        for row in rows:
            self.found_by[row.event_key] = RECALLS
        return rows

    async def links(self, papers: list[Reach]) -> list[Link]:
        """Where papers lead."""
        for paper in papers:
            self.borrowed.watch(paper.key, of_links=True)
        names = [("links", paper.key, (span := paper.span(())).since, span.until) for paper in papers]
        known: dict[Hashable, Any] = {name: self.borrowed.take(name) for name in names}
        missing = {name: paper for name, paper in zip(names, papers, strict=True) if known[name] is None}
        fresh = await fetch_links(self.conn, [paper.span(()) for paper in missing.values()])
        for (name, paper), read in zip(missing.items(), fresh, strict=True):
            known[name] = read
            self.borrowed.give(name, paper.key, read, _ROWS_BYTES + _ROW_BYTES * len(read.links))
        links: list[Link] = []
        for name in names:
            self.truncated |= known[name].truncated
            links += known[name].links
        links.sort(key=link_order)
        return links

    def note(self, event_key: int, tie: Tie) -> None:
        """An event is about the thing, by this tie; of several ties the nearest stays."""
        known = self.events.get(event_key)
        if known is None or tie_rank(tie) < tie_rank(known):
            self.events[event_key] = tie

    def place(self, row: Row, uri: str) -> None:
        """Remember where the event's lists name a thing of ours."""
        field = _FIELDS.get(Role(row.role))
        if field is not None:
            self.positions.setdefault(row.event_key, {})[field, uri] = row.position

    def paper(self, uri: str, tie: Tie, event_key: int, named_at: datetime) -> Reach:
        """A paper that an event of that time names, behind ``tie``."""
        kind = document_kind(uri)
        link = TieLink(kind=kind, uri=uri, label=short_label(uri), event_key=event_key)
        since, until = OPEN_START, OPEN_END
        if kind == "waybill":
            since, until = named_at - WAYBILL_BEFORE, named_at + WAYBILL_AFTER
        return Reach(
            key=thing_key(uri),
            uri=uri,
            since=since,
            until=until,
            tie=Tie(kind="document", links=(*tie.links, link)),
        )
