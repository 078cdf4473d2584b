"""The door of this room: bytes of a workbook, a delimited text or a JSON list become a ``Reading``.

Nothing is half imported: one bad cell refuses the whole document, and the error names it. A workbook may
hold several sheets; those with a known header must be of one kind, the others are named in a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from suyuan.epcis.reading import DerivedEvent, Reading
from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.sheets import workbook
from suyuan.sheets.cells import Cell, Grid, Row, Sheet
from suyuan.sheets.courier_scans import read_courier_scans
from suyuan.sheets.delimited import DELIMITERS, MAX_BYTES, read_grid
from suyuan.sheets.documents import Findings
from suyuan.sheets.event_sheet import read_event_sheet
from suyuan.sheets.headers import field_of, kind_of, read_sheet, unknown_header
from suyuan.sheets.json_list import check_json_size, read_records
from suyuan.sheets.mapped import mapped_sheet, shifted
from suyuan.sheets.mapping import is_json_mapping, is_mapped, split_mapped
from suyuan.sheets.packing_list import read_packing_list
from suyuan.sheets.tally import read_tally
from suyuan.sheets.templates import side_sheets
from suyuan.sheets.verification_log import read_verification_log

READERS: Final[dict[str, Callable[[Sheet, Findings], list[DerivedEvent]]]] = {
    "sheet/packing-list": read_packing_list,
    "sheet/tally": read_tally,
    "sheet/events": read_event_sheet,
    "scan/courier": read_courier_scans,
    "log/verification": read_verification_log,
}
KINDS: Final = tuple(READERS)
_PERSONAL_KINDS: Final = frozenset({"scan/courier", "log/verification"})
_GLANCE: Final = 64 * 1024
_KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\.){1,80})"\s*:')
_SPACE: Final = b" \t\r\n"


def recognise(data: bytes, name: str = "") -> bool:
    """Whether this room reads the bytes. Looks at the content; the name only decides for ``.csv``, ``.tsv``
    and ``.xlsx`` whose content says nothing, so that their sender learns what is wrong with them."""
    if is_mapped(data):
        return True
    if data.startswith(workbook.MAGIC):
        return workbook.is_workbook(data) or name.lower().endswith((".xlsx", ".xlsm"))
    start = data[:_GLANCE].removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    if start[:1] in (b"{", b"["):
        return _json_kind(start) is not None
    if start[:1] == b"<":
        return False
    if _kind_of_text(data[:_GLANCE]) is not None:
        return True
    return name.lower().endswith((".csv", ".tsv", ".xlsx"))


def read(data: bytes, *, name: str = "") -> Reading:
    """The document as events. ``name`` is not looked at; a file is what its content says.

    ``Reading.kind`` is one of ``KINDS``. Personal fields have byte ranges, except in a workbook: its ranges
    are 0 and it asks to be encrypted whole. Raises only ``SuyuanError``: ``sheet.*``.
    """
    if not data.strip():
        raise InputError("sheet.empty", "The document is empty.", remedy="Send the file with its content.")
    try:
        if is_mapped(data):
            return _read_mapped(data)
        if data.startswith(workbook.MAGIC):
            return _read_grids(workbook.read_grids(data), whole=True)
        start = data[:_GLANCE].removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
        if start[:1] in (b"{", b"["):
            return _read_json(data)
        return _read_grids((read_text(data),), whole=False)
    except SuyuanError:
        raise
    except (RecursionError, OverflowError, MemoryError) as error:
        raise InputError(
            "sheet.unreadable", f"The document cannot be read: {type(error).__name__}."
        ) from None


def _read_grids(grids: tuple[Grid, ...], *, whole: bool) -> Reading:
    sheets, findings = understood(grids)
    return _read_sheets(sheets, findings, whole=whole)


def understood(grids: tuple[Grid, ...]) -> tuple[list[Sheet], Findings]:
    """The sheets that have a known header, all of one kind, and what is odd about the others. Raises ``InputError``."""
    read = [(grid, read_sheet(grid)) for grid in grids]
    sheets = [(grid, sheet) for grid, sheet in read if not grid.hidden]
    known = [sheet for _, sheet in sheets if sheet is not None]
    unseen = [grid.name for grid, sheet in read if grid.hidden and sheet is not None]
    if not known and unseen:
        raise InputError(
            "sheet.hidden",
            "The table is on a hidden sheet; whoever sent it may not know that it is there.",
            path=unseen[0],
            remedy="Show the sheet, look at it and save the workbook again.",
        )
    if not known:
        raise unknown_header(grids)
    findings = Findings()
    for name in unseen:
        findings.warn("sheet.hidden", name, "The sheet is hidden; it was not read.")
    for grid, sheet in sheets:
        if (
            sheet is None
            and grid.name not in side_sheets()
            and any(cell for row in grid.rows for cell in row)
        ):
            findings.warn(
                "sheet.ignored", grid.name, "The sheet has no header that is known; it was not read."
            )
        if sheet is not None and sheet.kind != known[0].kind:
            raise InputError(
                "sheet.kinds.mixed",
                f"The sheet is a {sheet.kind}, while the sheet {known[0].name} is a {known[0].kind}.",
                path=sheet.name,
                remedy="Send each kind of sheet as a file of its own.",
            )
    return known, findings


def note_unknown(sheet: Sheet, findings: Findings) -> None:
    """Tell of the columns that nobody knows, where they are not personal anyway."""
    for title, path in () if sheet.kind in _PERSONAL_KINDS else sheet.unknown_columns:
        findings.warn(
            "sheet.column.unknown", path, f"The column {title[:40]!r} is not known; it is in no event."
        )


def no_rows() -> InputError:
    """The error for a table without content."""
    return InputError(
        "sheet.no_rows", "The table has a header and no rows.", remedy="Fill it in and send it again."
    )


def _read_sheets(sheets: list[Sheet], findings: Findings, *, whole: bool) -> Reading:
    kind = sheets[0].kind
    derived: list[DerivedEvent] = []
    for sheet in sheets:
        derived += READERS[kind](sheet, findings)
        note_unknown(sheet, findings)
    findings.refuse_faults()
    if not derived:
        raise no_rows()
    personal = findings.personal
    return Reading(
        kind=kind,
        events=tuple(derived),
        personal=personal,
        warnings=findings.warnings,
        encrypt_whole=whole and bool(personal),
    )


def _read_mapped(data: bytes) -> Reading:
    mapping, start = split_mapped(data)
    findings = Findings()
    reading = _read_sheets([mapped_sheet(data[start:], mapping, findings)], findings, whole=False)
    return msgspec.structs.replace(reading, personal=shifted(reading.personal, start))


def read_text(data: bytes) -> Grid:
    """A delimited text, split at the delimiter under which a header shows; the comma if none does."""
    for delimiter in DELIMITERS:
        if read_sheet(
            read_grid(data[:_GLANCE] if len(data) > _GLANCE else data, delimiter, max_rows=40, strict=False)
        ):
            return read_grid(data, delimiter)
    return read_grid(data, DELIMITERS[0])


def _kind_of_text(data: bytes) -> str | None:
    # The cut may fall into a character; the last line is not needed to know a header.
    whole_lines = data[: data.rfind(b"\n") + 1] or data
    try:
        for delimiter in DELIMITERS:
            sheet = read_sheet(read_grid(whole_lines, delimiter, max_rows=40, strict=False))
            if sheet is not None:
                return sheet.kind
    except SuyuanError:
        pass
    return None


def check_size(head: bytes, size: int) -> None:
    """Refuse a document by its beginning that is larger than its form may be.

    Raises ``TooLargeError`` (``sheet.too_large``), as reading it would.
    """
    single = is_mapped(head) and is_json_mapping(head)
    if single or head[:_GLANCE].removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)[:1] in (b"{", b"["):
        check_json_size(size)
    elif size > MAX_BYTES:
        raise TooLargeError("sheet.too_large", f"The document has more than {MAX_BYTES // 1024 // 1024} MiB.")


def own_kind(data: bytes) -> str | None:
    """The kind of a text in a shape of our own, by its beginning: one of ``KINDS``; None for any other shape."""
    start = data[:_GLANCE].removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    if start[:1] in (b"{", b"["):
        return _json_kind(start)
    return _kind_of_text(data[:_GLANCE])


def _json_kind(start: bytes) -> str | None:
    if b"epcisBody" in start or b"EPCISDocument" in start or b"@context" in start:
        return None
    labels = {key.decode("utf-8", "replace") for key in _KEY.findall(start)}
    kind = kind_of({field for label in labels if (field := field_of(label))})
    return kind if kind in _PERSONAL_KINDS else None


def _read_json(data: bytes) -> Reading:
    rows: list[Row] = []
    fields: set[str] = set()
    for record in read_records(data):
        head, unknown_around = _by_field(record.around)
        cells, unknown = _by_field(record.values)
        fields |= {*head, *cells}
        rows.append(Row(path=record.path, cells=cells, unknown=(*unknown, *unknown_around), head=head))
    kind = kind_of(fields)
    if kind not in _PERSONAL_KINDS:
        raise InputError(
            "sheet.header.unknown",
            "The records are neither courier scans nor a verification log.",
            path="$",
            remedy="Courier scans need waybill, carrier, time and status; a log needs code, time and result.",
        )
    assert kind is not None
    return _read_sheets(
        [Sheet(name="", kind=kind, rows=tuple(rows), unknown_columns=())], Findings(), whole=False
    )


def _by_field(values: dict[str, Cell]) -> tuple[dict[str, Cell], list[Cell]]:
    known: dict[str, Cell] = {}
    unknown: list[Cell] = []
    for label, cell in values.items():
        field = field_of(label)
        if field is None:
            unknown.append(cell)
        elif field in known:
            raise InputError(
                "sheet.header.duplicate",
                f"Two keys of the record mean {field.replace('_', ' ')}.",
                path=cell.path,
                remedy="Send one of them.",
            )
        else:
            known[field] = cell
    return known, unknown
