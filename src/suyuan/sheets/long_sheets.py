"""A long sheet as a paper, in batches, where each of its rows is an event: scans, verification logs, event sheets.

It is gone through twice. The survey reads every row and keeps none, so that a sheet with a fault is refused, with all
its faults, before anything of it is stored; the second go gives the batches. What is held is the file itself, which is
bounded, and one batch. A table with its mapping in front is read so too. Packing lists and tallies gather rows into few
events and are read whole, and so is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from suyuan.epcis.long_documents import BATCH_BYTES, BATCH_EVENTS, Batch, Open
from suyuan.epcis.reading import DerivedEvent, Warning_
from suyuan.sheets.cells import Row, Sheet
from suyuan.sheets.documents import Findings
from suyuan.sheets.mapped import mapped_sheet, shifted
from suyuan.sheets.mapping import is_json_mapping, is_mapped, split_mapped
from suyuan.sheets.reader import READERS, no_rows, note_unknown, read_text, recognise, understood
from suyuan.sheets.workbook import MAGIC, read_grids

ROW_KINDS: Final = frozenset({"sheet/events", "scan/courier", "log/verification"})
# So many oddities are told of a long sheet; a status that is not known stands in every row of it.
MAX_WARNINGS: Final = 1000


class SheetSurvey(msgspec.Struct, frozen=True):
    """What is known of a sheet that was read through. ``wanted`` holds something where there is personal data."""

    kind: str
    data: bytes
    sheets: tuple[Sheet, ...]
    warnings: tuple[Warning_, ...]
    wanted: frozenset[int]
    refused: tuple[()] = ()
    # where the scans begin, behind their mapping
    shift: int = 0


def is_long_sheet(head: bytes) -> bool:
    """Whether a paper that begins so may be a sheet whose rows are events; only its survey can tell for a workbook."""
    if head.startswith(MAGIC):
        return True
    if is_mapped(head):
        return not is_json_mapping(head)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start not in (b"{", b"[", b"<") and recognise(head)


def survey(open_: Open) -> SheetSurvey | None:
    """Read a sheet through. None for one that is read whole.

    Raises ``FaultySheetError`` with all faults, and as ``sheets.read``.
    """
    with open_() as source:
        data = source.read()
    if data.startswith(MAGIC) and not recognise(data):
        return None
    sheets, findings, shift = _understood(data)
    if sheets[0].kind not in ROW_KINDS:
        return None
    for sheet in sheets:
        note_unknown(sheet, findings)
    warnings = list(findings.warnings)
    count, personal = 0, False
    for sheet, rows in _pieces(sheets):
        events = _events(sheet, rows, findings)
        count += len(events)
        personal = personal or bool(findings.personal)
        warnings += findings.warnings[: MAX_WARNINGS - len(warnings)]
        findings.forget()
    findings.refuse_faults()
    if not count:
        raise no_rows()
    return SheetSurvey(
        sheets[0].kind,
        data,
        tuple(sheets),
        tuple(dict.fromkeys(warnings)),
        frozenset({0} if personal else ()),
        shift=shift,
    )


def _understood(data: bytes) -> tuple[list[Sheet], Findings, int]:
    """The sheets, what is odd about them, and where in the bytes they begin."""
    if is_mapped(data):
        mapping, shift = split_mapped(data)
        findings = Findings()
        return [mapped_sheet(data[shift:], mapping, findings)], findings, shift
    return *understood(read_grids(data) if data.startswith(MAGIC) else (read_text(data),)), 0


def batches(found: SheetSurvey) -> Iterator[Batch]:
    """The sheet that was surveyed, in batches; their bytes, one after the other, are the file."""
    text = not found.data.startswith(MAGIC)
    start = 0
    for sheet, rows in _pieces(found.sheets):
        findings = Findings()
        events = tuple(_events(sheet, rows, findings))
        end = max(_end(row) for row in rows) + found.shift if text else 0
        # What stands above the table holds for every row; it lies in the bytes of the first batch alone.
        personal = tuple(
            field
            for field in shifted(findings.personal, found.shift)
            if text and start <= field.start < field.end <= end
        )
        yield Batch(events, start, found.data[start:end], personal)
        start = end
    while start < len(found.data):
        piece = found.data[start : start + BATCH_BYTES]
        yield Batch((), start, piece, ())
        start += len(piece)


def _pieces(sheets: list[Sheet] | tuple[Sheet, ...]) -> Iterator[tuple[Sheet, tuple[Row, ...]]]:
    for sheet in sheets:
        rows = iter(sheet)
        while piece := tuple(islice(rows, BATCH_EVENTS)):
            yield sheet, piece


def _events(sheet: Sheet, rows: tuple[Row, ...], findings: Findings) -> list[DerivedEvent]:
    return READERS[sheet.kind](msgspec.structs.replace(sheet, rows=rows), findings)


def _end(row: Row) -> int:
    return max((cell.end for cell in (*row.cells.values(), *row.unknown)), default=0)
