"""A paper too long to be held in memory: read, prepared and written in batches, in one transaction.

While one batch is written the next is prepared. Its evidence is sealed piece by piece, with nothing in the open,
so that no row is as long as the paper. The things that it names are gathered in a temporary table and made known
at its end in the order of their keys, so that two such papers wait for each other and do not deadlock.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime

import msgspec

from suyuan.capture.copying import blob, copy_rows, row, text, word
from suyuan.capture.evidence import WHOLE, Part, joined, seal_evidence
from suyuan.capture.index import kind_of_thing
from suyuan.capture.prepare import PreparedEvent
from suyuan.capture.rows import NewEvent, collision, things_of, write_heads, write_links
from suyuan.capture.sources import Source
from suyuan.capture.store import (
    MAX_TOLD,
    Ledger,
    Outcome,
    Stored,
    encode_warnings,
    outcomes_of,
    stored_capture,
)
from suyuan.db.pool import Connection, sql
from suyuan.epcis import long_documents
from suyuan.epcis.long_documents import HEAD_BYTES, Batch, Survey
from suyuan.epcis.reading import DerivedEvent, Warning_
from suyuan.errors import SuyuanError
from suyuan.sheets import long_sheets
from suyuan.sheets.long_sheets import SheetSurvey
from suyuan.sheets.workbook import MAGIC
from suyuan.vault import Vault

_LAST_SECONDS = 600.0
PROCEED = "capture.proceed"
REFUSED = "capture.event.refused"
WORKBOOK = MAGIC


class LongPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A long paper that was read through, ready to be stored. ``left_out`` are paths of events that are refused."""

    source: Source
    survey: Survey | SheetSurvey
    name: str
    identity: bytes
    capture_id: str
    salt: bytes
    digest: bytes
    left_out: frozenset[str] = frozenset()
    notes: tuple[Warning_, ...] = ()

    @property
    def warnings(self) -> tuple[tuple[str, str, str], ...]:
        """What was odd in it: code, path, reason."""
        return tuple((w.code, w.path, w.reason) for w in (*self.survey.warnings, *self.notes))


class _Prepared(msgspec.Struct, frozen=True):
    events: list[PreparedEvent]
    parts: list[Part]


Prepare = Callable[[Sequence[DerivedEvent], str], list[PreparedEvent]]


def read_through(source: Source, *, sheets: bool, proceed: bool) -> Survey | SheetSurvey | None:
    """What is known of a long paper after reading it; None where it is of no kind that is read in batches.

    ``sheets`` tells whether a sheet is read so too, ``proceed`` whether events that are refused are left out. Raises
    ``SuyuanError`` for a paper that is refused.
    """
    head = source.head(HEAD_BYTES)
    if long_documents.is_long_document(head):
        return long_documents.survey(source.open, proceed=proceed)
    if sheets and long_sheets.is_long_sheet(head):
        return long_sheets.survey(source.open)
    return None


def notes_of(refused: Sequence[SuyuanError]) -> tuple[Warning_, ...]:
    """What is noted with a paper some of whose events were to be left out."""
    first = Warning_(PROCEED, "", "Events that are refused were to be left out.")
    return (first, *(Warning_(REFUSED, e.path, f"[{e.code}] {e.reason}") for e in refused))


async def store_long(
    conn: Connection, vault: Vault, paper: LongPaper, party_id: str, prepare: Prepare, now: datetime
) -> Stored:
    """Store a long paper in the connection's transaction. Raises as ``store_papers``, for the paper as a whole."""
    evidence_id = await _add_evidence(conn, paper, party_id, now)
    if evidence_id is None:
        return await stored_capture(conn, paper.identity)
    await conn.execute(sql(__package__, "gather_things"))
    told: list[Outcome] = []
    counts: Counter[str] = Counter()
    steps = _steps(paper, prepare)
    ahead = asyncio.create_task(asyncio.to_thread(next, steps, None))
    try:
        while (ready := await ahead) is not None:
            ahead = asyncio.create_task(asyncio.to_thread(next, steps, None))
            people = {person for event in ready.events for person in event.people}
            await seal_evidence(conn, vault, [(evidence_id, part) for part in ready.parts], sorted(people))
            outcomes = await _write(conn, ready.events, party_id, evidence_id, now, counts.total())
            counts.update(one.outcome for one in outcomes)
            told += outcomes[: MAX_TOLD - len(told)]
    finally:
        await asyncio.wait([ahead])  # a thread cannot be stopped, and the file is closed behind it
        steps.close()
    await _know_things(conn, now)
    return Stored(
        capture_id=paper.capture_id,
        kind=paper.survey.kind,
        repeated=False,
        received_at=now,
        events=tuple(told),
        counts=dict(counts),
        warnings=paper.warnings,
    )


async def _add_evidence(conn: Connection, paper: LongPaper, party_id: str, now: datetime) -> int | None:
    rows = await conn.fetch(
        sql(__package__, "add_evidence"),
        [paper.capture_id],
        [party_id],
        [paper.survey.kind],
        [paper.name],
        [paper.source.size],
        [paper.digest],
        [paper.identity],
        [encode_warnings(paper.warnings)],
        now,
        [paper.salt],
        [b""],
    )
    return int(rows[0]["evidence_id"]) if rows else None


def _batches(paper: LongPaper) -> Iterator[Batch]:
    if isinstance(paper.survey, SheetSurvey):
        return long_sheets.batches(paper.survey)
    return long_documents.batches(paper.source.open, paper.survey)


def _steps(paper: LongPaper, prepare: Prepare) -> Generator[_Prepared, None, None]:
    for batch in _batches(paper):
        kept = [event for event in batch.events if event.path not in paper.left_out]
        yield _Prepared(prepare(kept, paper.survey.kind), _parts(paper, batch))


def _parts(paper: LongPaper, batch: Batch) -> list[Part]:
    """All bytes of a batch: personal ranges for their subjects, what lies between them for the paper itself."""
    own = ("evidence", paper.capture_id)
    fields = () if paper.left_out else batch.personal
    by_start = {field.start: field for field in reversed(fields)}
    parts: list[Part] = []
    last, end = batch.start, batch.start + len(batch.data)

    def add(first: int, until: int, category: str, path: str, subject: tuple[str, ...]) -> None:
        if first < until:
            data = batch.data[first - batch.start : until - batch.start]
            parts.append(Part(first, until, category, path, subject, data))

    for first, until in joined(fields):
        field = by_start[first]
        add(last, first, WHOLE, "", own)
        add(first, until, field.category, field.path, field.subject or own)
        last = until
    add(last, end, WHOLE, "", own)
    return parts


async def _write(
    conn: Connection,
    events: Sequence[PreparedEvent],
    party_id: str,
    evidence_id: int,
    now: datetime,
    position: int,
) -> list[Outcome]:
    if not events:
        return []
    ledger = Ledger()
    await ledger.look_up(conn, [(party_id, event) for event in events])
    places = ledger.place(party_id, events)
    await ledger.number(conn)
    fresh = [
        NewEvent(ledger.keys[identity], event, party_id, evidence_id)
        for identity, event in ledger.fresh.items()
    ]
    if fresh:
        uris = things_of(new.event for new in fresh)
        things = [row(blob(key), text(uri), word(kind_of_thing(uri))) for key, uri in uris.items()]
        await copy_rows(conn, "gathered_thing", ("key", "uri", "kind"), things)
        await write_heads(conn, fresh, now, now.date().replace(day=1))
    outcomes = outcomes_of(places, ledger.keys)
    await write_links(
        conn,
        [
            (evidence_id, number, one.event_key, one.path, one.rule, one.outcome)
            for number, one in enumerate(outcomes, position)
        ],
    )
    return outcomes


async def _know_things(conn: Connection, now: datetime) -> None:
    month = now.date().replace(day=1)
    await conn.execute(sql(__package__, "know_gathered_things"), month, timeout=_LAST_SECONDS)
    if await conn.fetchval(sql(__package__, "check_gathered_things"), month, timeout=_LAST_SECONDS):
        raise collision()
