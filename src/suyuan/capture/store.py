"""Writing captures: evidence, events, index rows and intake rows, in the caller's one transaction.

The papers of a group are written together, with one COPY for each table, in the order of the keys. A party's
repeat of an event is found and linked, not written again; the same ID with other content is refused, which
leaves that paper out and its neighbours alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from suyuan.capture.evidence import (
    Paper,
    Part,
    dismantle,
    salted_digest,
    seal_evidence,
)
from suyuan.capture.prepare import PreparedEvent
from suyuan.capture.rows import NewEvent, write_events, write_links
from suyuan.db.pool import Connection, sql
from suyuan.errors import ConflictError, UnavailableError
from suyuan.vault import Vault

# Of a paper with more events than this only the first are told in the answer; all of them are stored.
MAX_TOLD = 10_000
# Party, key of the event's ID, declaration: what tells a party's events apart.
Identity = tuple[str, bytes, bytes]


class Filed(NamedTuple):
    """A paper and who files it."""

    paper: Paper
    party_id: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event of a paper."""

    event_id: str
    event_key: int
    outcome: str
    path: str
    rule: str


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a paper. ``repeated`` means that this party had sent the same bytes before.

    ``events`` are the first ``MAX_TOLD`` at most; ``counts`` says how many there are by outcome.
    """

    capture_id: str
    kind: str
    repeated: bool
    received_at: datetime
    events: tuple[Outcome, ...]
    counts: Mapping[str, int]
    warnings: tuple[tuple[str, str, str], ...] = ()


class RacedError(UnavailableError):
    """Another process stored one of the group's papers a moment ago: nothing was written, try them one by one."""


class Place(NamedTuple):
    """An event of a paper and whether this paper brings it."""

    event: PreparedEvent
    identity: Identity
    new: bool


class Ledger:
    """Which events of a party are known, in the database and in the papers placed before."""

    def __init__(self) -> None:
        self.keys: dict[Identity, int] = {}
        self.fresh: dict[Identity, PreparedEvent] = {}
        self._content: dict[Identity, bytes] = {}

    async def look_up(self, conn: Connection, events: Iterable[tuple[str, PreparedEvent]]) -> None:
        """Find what the database knows of these events of these parties."""
        parties: set[str] = set()
        wanted: set[bytes] = set()
        for party_id, event in events:
            parties.add(party_id)
            wanted.add(event.event_id_key)
        for row in await conn.fetch(sql(__package__, "known_events"), sorted(parties), sorted(wanted)):
            identity = (row["party_id"], row["event_id_key"], row["declaration"])
            self.keys[identity] = row["event_key"]
            self._content[identity] = row["content_hash"]

    def place(self, party_id: str, events: Sequence[PreparedEvent]) -> list[Place]:
        """The events of one paper, new ones and repeats.

        Raises ``ConflictError`` (``capture.event.conflict``): this party has other content under the same ID.
        The ledger is then as it was.
        """
        fresh: dict[Identity, PreparedEvent] = {}
        places: list[Place] = []
        for event in events:
            identity = (party_id, event.event_id_key, event.declaration)
            content = self._content.get(identity)
            if content is None and identity in fresh:
                content = fresh[identity].content_hash
            if content is not None and content != event.content_hash:
                raise ConflictError(
                    "capture.event.conflict",
                    f"The event ID {event.event_id} stands for other content that this party sent before.",
                    path=event.path,
                    remedy="Give the event an ID of its own; to correct an event, send an errorDeclaration.",
                )
            if content is None:
                fresh[identity] = event
            places.append(Place(event, identity, content is None))
        for identity, event in fresh.items():
            self.fresh[identity] = event
            self._content[identity] = event.content_hash
        return places

    async def number(self, conn: Connection) -> None:
        """Give every new event its key."""
        if self.fresh:
            rows = await conn.fetch(sql(__package__, "event_keys"), len(self.fresh))
            self.keys.update(zip(self.fresh, (row[0] for row in rows), strict=True))


async def store_papers(
    conn: Connection, vault: Vault, filed: Sequence[Filed], now: datetime
) -> list[Stored | ConflictError]:
    """Store papers in the connection's transaction; what became of each, in their order.

    A paper that conflicts with what its party sent before is left out. Raises ``RacedError`` for a group one of
    whose papers another transaction has stored meanwhile.
    """
    before = {
        row[0]
        for row in await conn.fetch(sql(__package__, "known_evidence"), [f.paper.identity for f in filed])
    }
    new: dict[bytes, Filed] = {}
    for one in filed:
        if one.paper.identity not in before:
            new.setdefault(one.paper.identity, one)
    ledger = Ledger()
    await ledger.look_up(conn, [(one.party_id, event) for one in new.values() for event in one.paper.events])
    placed: dict[bytes, list[Place]] = {}
    refused: dict[bytes, ConflictError] = {}
    for identity, one in new.items():
        try:
            placed[identity] = ledger.place(one.party_id, one.paper.events)
        except ConflictError as error:
            refused[identity] = error
    evidence = await _add_evidence(conn, vault, [new[identity] for identity in placed], now)
    if len(evidence) < len(placed):
        if len(filed) > 1:
            raise RacedError("capture.contended", "Another process stored one of these papers meanwhile.")
        return [await stored_capture(conn, filed[0].paper.identity)]
    await ledger.number(conn)
    sources = {p.identity: identity for identity, places in placed.items() for p in places if p.new}
    fresh = [
        NewEvent(ledger.keys[identity], event, identity[0], evidence[sources[identity]])
        for identity, event in ledger.fresh.items()
    ]
    await write_events(conn, fresh, now)
    outcomes = {identity: outcomes_of(places, ledger.keys) for identity, places in placed.items()}
    await write_links(
        conn,
        [
            (evidence[identity], position, one.event_key, one.path, one.rule, one.outcome)
            for identity, found in outcomes.items()
            for position, one in enumerate(found)
        ],
    )
    results: list[Stored | ConflictError] = []
    for one in filed:
        identity = one.paper.identity
        if identity in refused:
            results.append(refused[identity])
        elif identity in outcomes:
            results.append(_stored(one.paper, outcomes.pop(identity), now))
        else:
            results.append(await stored_capture(conn, identity))
    return results


def outcomes_of(places: Sequence[Place], keys: Mapping[Identity, int]) -> list[Outcome]:
    """What became of the events of a paper, in its order."""
    return [
        Outcome(
            event_id=place.event.event_id,
            event_key=keys[place.identity],
            outcome="stored" if place.new else "repeat",
            path=place.event.path,
            rule=place.event.rule,
        )
        for place in places
    ]


def _stored(paper: Paper, outcomes: list[Outcome], now: datetime) -> Stored:
    stored = sum(one.outcome == "stored" for one in outcomes)
    return Stored(
        capture_id=paper.capture_id,
        kind=paper.reading.kind,
        repeated=False,
        received_at=now,
        events=tuple(outcomes[:MAX_TOLD]),
        counts={"stored": stored, "repeat": len(outcomes) - stored},
        warnings=paper.warnings,
    )


def encode_warnings(warnings: Iterable[tuple[str, str, str]]) -> str:
    """Warnings as they are kept with the evidence."""
    return msgspec.json.encode([{"code": c, "path": p, "reason": r} for c, p, r in warnings]).decode()


async def _add_evidence(
    conn: Connection, vault: Vault, filed: Sequence[Filed], now: datetime
) -> dict[bytes, int]:
    """Store papers as evidence and seal what is personal in them; their keys by identity."""
    if not filed:
        return {}
    in_order = sorted(filed, key=lambda one: one.paper.identity)
    papers = [one.paper for one in in_order]
    taken_apart = [dismantle(paper) for paper in papers]
    rows = await conn.fetch(
        sql(__package__, "add_evidence"),
        [paper.capture_id for paper in papers],
        [one.party_id for one in in_order],
        [paper.reading.kind for paper in papers],
        [paper.name for paper in papers],
        [len(paper.data) for paper in papers],
        [salted_digest(paper.salt, paper.data) for paper in papers],
        [paper.identity for paper in papers],
        [encode_warnings(paper.warnings) for paper in papers],
        now,
        [paper.salt for paper in papers],
        [skeleton for skeleton, _ in taken_apart],
    )
    evidence = {row["identity"]: row["evidence_id"] for row in rows}
    if len(evidence) == len(papers):
        parts: list[tuple[int, Part]] = [
            (evidence[paper.identity], part)
            for paper, (_, found) in zip(papers, taken_apart, strict=True)
            for part in found
        ]
        people = {person for paper in papers for event in paper.events for person in event.people}
        await seal_evidence(conn, vault, parts, sorted(people))
    return evidence


async def stored_capture(conn: Connection, identity: bytes) -> Stored:
    """What the same bytes gave when they came first."""
    row = await conn.fetchrow(sql(__package__, "find_capture"), identity)
    assert row is not None
    events = await conn.fetch(sql(__package__, "capture_events"), row["evidence_id"], 0, MAX_TOLD)
    return Stored(
        capture_id=row["capture_id"],
        kind=row["kind"],
        repeated=True,
        received_at=row["received_at"],
        events=tuple(
            Outcome(
                event_id=event["event_id"],
                event_key=event["event_key"],
                outcome="repeat",
                path=event["path"],
                rule=event["rule"],
            )
            for event in events
        ),
        counts={"repeat": row["events"]},
        warnings=tuple(
            (warning["code"], warning["path"], warning["reason"])
            for warning in msgspec.json.decode(row["warnings"])
        ),
    )
