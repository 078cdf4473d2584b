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
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from suyuan.capture.index import key_of, kind_of_thing
from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.epcis.model import Event, Place
from suyuan.epcis.reading import DerivedEvent, Reading
from suyuan.errors import InputError, SuyuanError
from suyuan.gs1.digital_link import canonical, parse, without_trailing_slash
from suyuan.issuing.codes import Batch
from suyuan.issuing.foreign_codes import CodeRange, CodeSystem

ALIASING = "urn:suyuan:bizstep:aliasing"
KIND = "suyuan/aliases"
PORTION = 2_000
MAX_TOLD = 20
_MAX_LINE = 2_000
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
# Rows as they were given: line, code, item; made anew each time they are asked for.
Rows = Callable[[Connection], AsyncGenerator[Sequence[tuple[int, str, str]], None]]


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
        await conn.execute("CREATE INDEX ON alias_row (line); ANALYZE alias_row")
        await _check(conn, deliverer.party_id, total)
        await conn.execute(sql(__package__, "alias_repeated"), deliverer.party_id, timeout=_STATEMENT_SECONDS)
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
    if len(text) > _MAX_LINE or kind_of_thing(uri) != "item" or uri.startswith("urn:suyuan:label:"):
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


# -- where rows come from -------------------------------------------------------------------------------------


def rows_of_list(open_file: Callable[[], BinaryIO]) -> Rows:
    """Rows of a CSV with the columns ``code`` and ``item`` (UTF-8), line numbers as in the file."""

    async def rows(_: Connection) -> AsyncGenerator[Sequence[tuple[int, str, str]], None]:
        with io.TextIOWrapper(open_file(), encoding="utf-8-sig", newline="") as text:
            lines = _lines(text)
            while portion := await asyncio.to_thread(_take, lines):
                yield portion

    return rows


def _take(lines: Iterator[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    return [row for _, row in zip(range(PORTION * 5), lines, strict=False)]


def _lines(file: io.TextIOWrapper) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(_short(file))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if not {"code", "item"} <= set(header):
            raise InputError(
                "issuing.alias.columns",
                "The list has no columns code and item.",
                path="line 1",
                remedy="Begin it with the line: code,item",
            )
        code, item = header.index("code"), header.index("item")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                filled = [*cells, *[""] * (len(header) - len(cells))]
                yield reader.line_num, filled[code].strip(), filled[item].strip()
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "issuing.alias.text",
            f"The list is no CSV in UTF-8: {error}.",
            path=f"line {reader.line_num + 1}",
            remedy="Save it as CSV UTF-8, numbers as text so that zeros in front stay.",
        ) from None


def _short(file: io.TextIOWrapper) -> Iterator[str]:
    """Lines of bounded length: one without an end must not fill the memory."""
    while line := file.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise csv.Error(f"a line has more than {_MAX_LINE} characters")
        yield line


def rows_of_range(batch: Batch, codes: CodeRange, first: int = 1) -> Rows:
    """A range of codes on the labels of a batch, in its order from label ``first`` on.

    Raises ``InputError`` (``issuing.alias.length``) where the batch has not so many labels.
    """
    last = first + len(codes) - 1
    if not 1 <= first <= last <= batch.count:
        raise InputError(
            "issuing.alias.length",
            f"{len(codes)} codes from label {first} on go beyond the batch's {batch.count} labels.",
            path="to",
            remedy="One code for each label: shorten the range, or name another batch.",
        )
    stem = f"https://id.gs1.org/01/{batch.gtin}/21/"

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[tuple[int, str, str]], None]:
        wanted = iter(codes)
        for start in range(first, last + 1, PORTION * 5):
            found = await conn.fetch(
                sql(__package__, "serials_from"),
                batch.batch_id,
                start,
                min(start + PORTION * 5 - 1, last),
            )
            yield [(row["ordinal"], next(wanted), stem + row["serial"]) for row in found]

    return rows
