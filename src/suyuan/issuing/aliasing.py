"""Codes of other systems, stated as aliases of items: one aliasing event a row, all of them or none.

Rows come from a list or a range and are checked in the database as a whole: no code twice, none that names another
item already, no voided item, and only items that the party may name (it issued the item's code, or was the first to
commission the item or the foreign code): what a trace would not follow is not imported. What the party said before is
not said again. Rows go through a temporary table and papers of some thousand events in one transaction, so that memory
does not grow with their number.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from suyuan.capture.index import key_of, kind_of_thing
from suyuan.capture.intake import Capture
from suyuan.capture.payload import read_body
from suyuan.capture.prepare import Deliverer
from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.epcis.model import Event, Place
from suyuan.epcis.reading import DerivedEvent, Reading
from suyuan.errors import InputError, SuyuanError
from suyuan.gs1.digital_link import canonical, parse, without_trailing_slash
from suyuan.issuing.alias_rows import MAX_LINE, Rows
from suyuan.issuing.foreign_codes import CodeSystem

ALIASING = "urn:suyuan:bizstep:aliasing"
KIND = "suyuan/aliases"
PORTION = 2_000
MAX_TOLD = 20
_STATEMENT_SECONDS = 3600.0
_FAULTS = {
    "twice": "the code stands in several rows",
    "taken": "the code is that of another item already",
    "unknown": "nothing is known of the item",
    "voided": "the item's own code is voided",
    "not_yours": "the party neither issued the item's code nor was the first to commission one of the two",
}
_COLUMNS = ("line", "code", "thing", "item", "gtin", "serial", "code_key", "item_key")
_Record = tuple[int, str, str, str, str, str, bytes, bytes]


class AliasImport(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` aliases were stated, in these captures; ``repeated`` had been stated by this party before."""

    count: int
    repeated: int
    capture_ids: tuple[str, ...]


async def import_aliases(
    pool: Pool,
    capture: Capture,
    system: CodeSystem,
    rows: Rows,
    deliverer: Deliverer,
    *,
    facility: str = "",
    progress: Callable[[int], None] | None = None,
) -> AliasImport:
    """State every row's code as an alias of its item. Raises ``InputError`` (``issuing.alias.*``) with nothing done."""

    async def work(conn: Connection) -> AliasImport:
        await conn.execute(sql(__package__, "alias_rows"))
        total = await _fill(conn, system, rows)
        await conn.execute("CREATE UNIQUE INDEX ON alias_row (line); ANALYZE alias_row")
        await _compare(conn, deliverer.party_id)
        await _check(conn, deliverer.party_id, total)
        await conn.execute("SET LOCAL enable_seqscan = on")
        return await _state(conn, capture, deliverer, facility, total, progress)

    return await transaction(pool, work)


async def _fill(conn: Connection, system: CodeSystem, rows: Rows) -> int:
    """Put the rows into the temporary table; return how many there are."""
    total = 0
    faults = _Faults()
    async with contextlib.aclosing(rows(conn)) as portions:
        async for portion in portions:
            records = await asyncio.to_thread(_records, system, portion, faults)
            total += len(portion)
            if not faults.count:
                await conn.copy_records_to_table("alias_row", records=records, columns=_COLUMNS)
    faults.refuse(total)
    if not total:
        raise InputError(
            "issuing.alias.empty", "There are no rows.", path="rows", remedy="Send code,item rows."
        )
    return total


def _records(system: CodeSystem, portion: Iterable[tuple[int, str, str]], faults: _Faults) -> list[_Record]:
    records: list[_Record] = []
    for line, code, item in portion:
        try:
            thing = system.thing(code)
            uri, gtin, serial = read_item(item)
        except SuyuanError as error:
            faults.add(line, code, error.reason)
        else:
            records.append((line, code, thing, uri, gtin, serial, key_of(thing), key_of(uri)))
    return records


def read_item(text: str) -> tuple[str, str, str]:
    """An item's canonical URI, GTIN and serial; GTIN and serial are empty for goods without them.

    Raises ``InputError`` (``gs1.*``, ``issuing.alias.item``).
    """
    text = text.strip()
    web = text.lower().startswith(("http://", "https://"))
    uri = without_trailing_slash(text) if web else canonical(text) or text
    gtin = serial = ""
    if web or uri.startswith("https://id.gs1.org/"):
        link = parse(uri, older_forms=web)
        uri, gtin, serial = link.canonical, link.gtin or "", link.serial or ""
    if len(text) > MAX_LINE or kind_of_thing(uri) != "item" or uri.startswith("urn:suyuan:label:"):
        raise InputError(
            "issuing.alias.item",
            f"{text[:60]!r} is no item.",
            path="item",
            remedy="Name it by its Digital Link.",
        )
    return uri, gtin, serial


class _Faults:
    """Rows that cannot be taken: the first are told, all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self._told: list[tuple[int, str]] = []

    def add(self, line: int, code: str, reason: str) -> None:
        self.count += 1
        if len(self._told) < MAX_TOLD:
            self._told.append((line, f"line {line} ({code[:40]}): {reason.rstrip('.')}"))

    def refuse(self, total: int, count: int = 0) -> None:
        """Raise ``InputError`` (``issuing.alias.rows``) where there is any."""
        faulty = max(count, self.count)
        if not faulty:
            return
        more = f"; and {faulty - len(self._told)} more" if faulty > len(self._told) else ""
        raise InputError(
            "issuing.alias.rows",
            f"{faulty} of {total} rows cannot be taken: {'; '.join(text for _, text in self._told)}{more}.",
            path=f"line {self._told[0][0]}",
            remedy="Nothing was imported. Correct these rows and send the whole list again.",
        )


async def _compare(conn: Connection, party_id: str) -> None:
    """Hold the rows against what standing aliases say: drop what the party said itself, mark what is taken."""
    # From a row to what it names there is an index each time; a guess at sizes must not lead through whole tables.
    await conn.execute("SET LOCAL enable_seqscan = off")
    repeated: set[int] = set()
    taken: set[int] = set()
    async for row in conn.cursor(
        sql(__package__, "alias_said"), prefetch=PORTION, timeout=_STATEMENT_SECONDS
    ):
        others = [uri for uri in read_body(row["body"]).get("epcList") or () if uri != row["thing"]]
        if len(others) != 1:
            continue  # no alias that a trace follows
        if others[0] != row["item"]:
            taken.add(row["line"])
        elif row["party_id"] == party_id:
            repeated.add(row["line"])
    await conn.execute(sql(__package__, "alias_taken"), sorted(taken))
    await conn.execute(sql(__package__, "alias_repeated"), sorted(repeated - taken))


async def _check(conn: Connection, party_id: str, total: int) -> None:
    found = await conn.fetch(sql(__package__, "alias_faults"), party_id, MAX_TOLD, timeout=_STATEMENT_SECONDS)
    faults = _Faults()
    for row in found:
        faults.add(row["line"], row["code"], _FAULTS[row["fault"]])
    faults.refuse(total, found[0]["faults"] if found else 0)


async def _state(
    conn: Connection,
    capture: Capture,
    deliverer: Deliverer,
    facility: str,
    total: int,
    progress: Callable[[int], None] | None,
) -> AliasImport:
    now, done, last = datetime.now(UTC), 0, -1
    captures: list[str] = []
    while True:
        rows = await conn.fetch(sql(__package__, "alias_page"), last, PORTION)
        if not rows:
            return AliasImport(count=done, repeated=total - done, capture_ids=tuple(captures))
        events = tuple(
            DerivedEvent(_event(row["item"], row["thing"], now, facility), f"line {row['line']}", "alias/1")
            for row in rows
        )
        stored = await capture.submit_events(
            conn,
            Reading(KIND, events),
            _paper(now, [(row["code"], row["item"]) for row in rows]),
            deliverer,
            name="aliases",
        )
        captures.append(stored.capture_id)
        done, last = done + len(rows), rows[-1]["line"]
        if progress is not None:
            progress(done)


def _event(item: str, thing: str, now: datetime, facility: str) -> Event:
    place = Place(facility) if facility else None
    return Event(
        type="ObjectEvent",
        event_time=now,
        event_time_zone_offset="+08:00",
        action="OBSERVE",
        epc_list=(item, thing),
        biz_step=ALIASING,
        read_point=place,
        biz_location=place,
    )


def _paper(now: datetime, pairs: Iterable[tuple[str, str]]) -> bytes:
    """The evidence: rows as they were given, and when. The time makes it a paper of its own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("code", "item", now.isoformat()))
    writer.writerows(pairs)
    return text.getvalue().encode()
