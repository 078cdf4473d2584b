"""Writing a capture: evidence, events, index rows and intake rows, in the caller's one transaction.

Every list is written in the order of its key and large sets go by COPY. A party's repeat of an event is found
and linked, not written again; the same ID with other content is refused, which rolls the whole paper back.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from suyuan.capture.prepare import PreparedEvent
from suyuan.db.pool import Connection, sql
from suyuan.disclosure.leaf import leaf_bytes, utc_day
from suyuan.epcis.reading import PersonalField, Reading
from suyuan.errors import ConflictError, IntegrityError
from suyuan.gs1.thing import kind as thing_kind
from suyuan.log import append_intake
from suyuan.vault import Vault

EVENT_COLUMNS = (
    "event_key", "party_id", "event_id", "received_event_id", "event_id_key", "declaration", "content_hash",
    "event_type", "action", "event_time", "zone_offset", "day_precision", "record_time", "biz_step",
    "disposition", "read_point", "biz_location", "assurance", "role", "stated_by", "evidence_id", "path", "rule",
    "commitment", "claim_count",
)  # fmt: skip
INDEX_COLUMNS = ("key", "record_month", "event_time", "event_key", "role", "action", "other", "position")


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that was read and prepared, ready to be stored."""

    data: bytes
    name: str
    reading: Reading
    events: list[PreparedEvent]
    identity: bytes
    capture_id: str
    salt: bytes


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event of a paper."""

    event_id: str
    event_key: int
    outcome: str
    path: str
    rule: str


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a paper. ``repeated`` means that this party had sent the same bytes before."""

    capture_id: str
    kind: str
    repeated: bool
    received_at: datetime
    events: tuple[Outcome, ...]
    warnings: tuple[tuple[str, str, str], ...] = ()


def evidence_identity(key: bytes, party_id: str, data: bytes) -> bytes:
    """Keyed digest by which a party's repeat of the same bytes is known; worthless without the key."""
    return hmac.digest(key, party_id.encode() + b"\0" + hashlib.sha256(data).digest(), "sha256")[:16]


def skeleton_of(
    data: bytes, personal: Sequence[PersonalField], encrypt_whole: bool
) -> tuple[bytes, list[tuple[int, int]]]:
    """The bytes without the personal ranges, and those ranges in order, overlapping ones joined."""
    if encrypt_whole:
        return b"", [(0, len(data))]
    ranges: list[tuple[int, int]] = []
    for start, end in sorted((field.start, field.end) for field in personal if field.end > field.start):
        if ranges and start < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    kept, last = [], 0
    for start, end in ranges:
        kept.append(data[last:start])
        last = end
    kept.append(data[last:])
    return b"".join(kept), ranges


def reassemble(skeleton: bytes, parts: Sequence[tuple[int, bytes]]) -> bytes:
    """The exact bytes again: ``parts`` are (start in the original, bytes)."""
    out, taken, written = [], 0, 0
    for start, piece in sorted(parts):
        gap = start - written
        out.append(skeleton[taken : taken + gap])
        taken += gap
        out.append(piece)
        written = start + len(piece)
    out.append(skeleton[taken:])
    return b"".join(out)


async def store_paper(
    conn: Connection, vault: Vault, paper: Paper, party_id: str, received_at: datetime
) -> tuple[int, Stored | None]:
    """Store the evidence and seal its personal ranges; the evidence's key, or what was stored before."""
    reading = paper.reading
    warnings = tuple((w.code, w.path, w.reason) for w in reading.warnings)
    evidence_id = await conn.fetchval(
        sql(__package__, "add_evidence"),
        paper.capture_id,
        party_id,
        reading.kind,
        paper.name,
        len(paper.data),
        hashlib.sha256(paper.salt + paper.data).digest(),
        paper.identity,
        msgspec.json.encode([{"code": c, "path": p, "reason": r} for c, p, r in warnings]).decode(),
        received_at,
    )
    if evidence_id is None:
        return 0, await stored_capture(conn, paper.identity)
    skeleton, ranges = skeleton_of(paper.data, reading.personal, reading.encrypt_whole)
    by_start = {field.start: field for field in reversed(reading.personal)}
    await conn.execute(sql(__package__, "add_evidence_body"), evidence_id, paper.salt, skeleton)
    parts = []
    for start, end in ranges:
        field = by_start.get(start)
        whole = field is None or reading.encrypt_whole
        subject = ("evidence", paper.capture_id) if whole else field.subject  # type: ignore[union-attr]
        parts.append((subject, paper.data[start:end]))
    people = {person for event in paper.events for person in event.people}
    sealed = await vault.seal_parts(conn, parts, sorted(people))
    await conn.copy_records_to_table(
        "evidence_part",
        records=[
            (
                evidence_id,
                start,
                end,
                by_start[start].category if start in by_start and not reading.encrypt_whole else "whole",
                by_start[start].path if start in by_start and not reading.encrypt_whole else "",
                part.subject_id,
                part.sealed,
            )
            for (start, end), part in zip(ranges, sealed, strict=True)
        ],
        columns=("evidence_id", "start_at", "end_at", "category", "path", "subject_id", "sealed"),
    )
    return evidence_id, None


async def stored_capture(conn: Connection, identity: bytes) -> Stored:
    """What the same bytes gave when they came first."""
    row = await conn.fetchrow(sql(__package__, "find_capture"), identity)
    assert row is not None
    events = await conn.fetch(sql(__package__, "capture_events"), row["evidence_id"])
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
        warnings=tuple(
            (warning["code"], warning["path"], warning["reason"])
            for warning in msgspec.json.decode(row["warnings"])
        ),
    )


async def store_events(
    conn: Connection,
    events: Sequence[PreparedEvent],
    *,
    party_id: str,
    evidence_id: int,
    record_time: datetime,
) -> list[Outcome]:
    """Store the events of one paper; repeats are linked to what is there. The outcomes in the paper's order.

    Raises ``ConflictError`` (``capture.event.conflict``): this party has other content under the same ID.
    """
    known = {
        (row["event_id_key"], row["declaration"]): (row["event_key"], row["content_hash"])
        for row in await conn.fetch(
            sql(__package__, "known_events"), party_id, sorted({event.event_id_key for event in events})
        )
    }
    fresh: dict[tuple[bytes, bytes], PreparedEvent] = {}
    for event in events:
        stored = known.get(event.identity)
        twin = fresh.get(event.identity)
        if (stored is not None and stored[1] != event.content_hash) or (
            twin is not None and twin.content_hash != event.content_hash
        ):
            raise ConflictError(
                "capture.event.conflict",
                f"The event ID {event.event_id} stands for other content that this party sent before.",
                path=event.path,
                remedy="Give the event an ID of its own; to correct an event, send an errorDeclaration.",
            )
        if stored is None and twin is None:
            fresh[event.identity] = event
    keys = [row[0] for row in await conn.fetch(sql(__package__, "event_keys"), len(fresh))] if fresh else []
    numbered = dict(zip(fresh, keys, strict=True))
    if fresh:
        await _write(
            conn, [(numbered[i], event) for i, event in fresh.items()], party_id, evidence_id, record_time
        )
    seen: set[tuple[bytes, bytes]] = set()
    outcomes = []
    for event in events:
        new = event.identity in numbered and event.identity not in seen
        seen.add(event.identity)
        key = numbered[event.identity] if event.identity in numbered else known[event.identity][0]
        outcomes.append(
            Outcome(
                event_id=event.event_id,
                event_key=key,
                outcome="stored" if new else "repeat",
                path=event.path,
                rule=event.rule,
            )
        )
    await conn.copy_records_to_table(
        "evidence_event",
        records=[
            (evidence_id, position, outcome.event_key, outcome.path, outcome.rule, outcome.outcome)
            for position, outcome in enumerate(outcomes)
        ],
        columns=("evidence_id", "position", "event_key", "path", "rule", "outcome"),
    )
    return outcomes


async def _write(
    conn: Connection,
    events: Sequence[tuple[int, PreparedEvent]],
    party_id: str,
    evidence_id: int,
    record_time: datetime,
) -> None:
    month = record_time.date().replace(day=1)
    in_order = sorted(events, key=lambda entry: entry[1].identity)
    await _write_things(conn, [event for _, event in in_order], month)
    await conn.copy_records_to_table(
        "event",
        records=[_event_record(key, e, party_id, evidence_id, record_time) for key, e in in_order],
        columns=EVENT_COLUMNS,
    )
    await conn.copy_records_to_table(
        "event_payload",
        records=[(key, e.body, e.statement, e.secret) for key, e in events],
        columns=("event_key", "body", "statement", "secret"),
    )
    index = [
        (row.key, month, e.event_time, key, row.role, e.action, row.other, row.position)
        for key, e in events
        for row in e.rows
    ]
    index.sort(key=lambda record: (record[0], record[4], record[2], record[3]))
    await conn.copy_records_to_table("thing_event", records=index, columns=INDEX_COLUMNS)
    chunks = [(key, c.field, c.chunk, c.elements) for key, e in events for c in e.chunks]
    if chunks:
        await conn.copy_records_to_table(
            "event_list", records=chunks, columns=("event_key", "field", "chunk", "elements")
        )
    tiles = [(key, t.level, t.n, t.first, t.hashes) for key, e in events for t in e.tiles]
    if tiles:
        await conn.copy_records_to_table(
            "event_claim_tile", records=tiles, columns=("event_key", "level", "n", "first", "hashes")
        )
    day = utc_day(record_time)
    await append_intake(conn, [(key, leaf_bytes(e.commitment, day)) for key, e in events])


def _event_record(
    key: int, event: PreparedEvent, party_id: str, evidence_id: int, record_time: datetime
) -> tuple[object, ...]:
    return (
        key, party_id, event.event_id, event.received_event_id, event.event_id_key, event.declaration,
        event.content_hash, event.event_type, event.action, event.event_time, event.zone_offset,
        event.day_precision, record_time, event.biz_step, event.disposition, event.read_point,
        event.biz_location, event.assurance, event.role, event.stated_by, evidence_id, event.path, event.rule,
        event.commitment, event.claim_count,
    )  # fmt: skip


async def _write_things(conn: Connection, events: Sequence[PreparedEvent], month: date) -> None:
    uris: dict[bytes, str] = {}
    for event in events:
        for key, uri in event.uris.items():
            if uris.setdefault(key, uri) != uri:
                raise _collision()
    keys = sorted(uris)
    known = await conn.fetch(
        sql(__package__, "add_things"),
        keys,
        [uris[key] for key in keys],
        [thing_kind(uris[key]) for key in keys],
        month,
    )
    if known:
        old = sorted(row["key"] for row in known)
        clash = await conn.fetchrow(sql(__package__, "check_things"), old, [uris[key] for key in old], month)
        if clash is not None:
            raise _collision()


def _collision() -> IntegrityError:
    return IntegrityError(
        "capture.thing.collision",
        "Two different things have the same key.",
        remedy="Nothing was stored. Report this: it happens by chance once in 2^40 things of one class.",
    )
