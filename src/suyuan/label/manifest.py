"""The list of captures that were taken of labels, real or simulated: one row a capture, what it shows, how it came.

Version 1: a CSV in UTF-8 whose first line is ``# suyuan-label-manifest 1`` and whose second names the columns. All
faults are found at once, each with its row as a spreadsheet counts. Pure: whether a named file exists is for whoever
opens it; here only its name is judged. Captures of the enrolled label itself are called ``enrolled``; ``genuine``, as
earlier manifests say, is read too.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, cast

import msgspec

from suyuan.errors import InputError, TooLargeError
from suyuan.label.evaluation import GENUINE, Source, Split
from suyuan.label.manifest_cells import files_in, number_in, path_in, placement_in
from suyuan.label.model import Placement, Track
from suyuan.label.path import DIRECTIONS, TiltPath

MANIFEST_MARK: Final = "# suyuan-label-manifest 1"
REQUIRED: Final = ("split", "track", "label", "uri", "attack", "phone", "files")
OPTIONAL: Final = (
    "record",
    "enrolment",
    "template",
    "placement",
    "path",
    "light",
    "distance_mm",
    "condition",
    "source",
    "note",
)
OWN: Final = "enrolled"
SOURCES: Final[tuple[Source, ...]] = ("captured", "simulated")
COLUMNS: Final = REQUIRED + OPTIONAL
MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 200_000
MAX_FAULTS: Final = 200

_FIRST_ROW: Final = 3
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_REMEDY: Final = "Correct the rows that are named; docs/LABELS.md describes the columns."


class ManifestFault(msgspec.Struct, frozen=True):
    """What is wrong in one place. ``row`` is the line of a spreadsheet; 0 where the whole file is meant."""

    row: int
    column: str
    reason: str


class FaultyManifestError(InputError):
    """A manifest with faults: carries them all, and tells each in its reason."""

    def __init__(self, faults: Iterable[ManifestFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.row, fault.column)))
        shown = self.faults[:MAX_FAULTS]
        lines = [
            f"row {fault.row}, {fault.column}: {fault.reason}" if fault.row else fault.reason
            for fault in shown
        ]
        left = len(self.faults) - len(shown)
        if left:
            lines.append(f"and {left} more")
        first = self.faults[0]
        super().__init__(
            "label.manifest.form",
            "; ".join(lines),
            path=f"row {first.row}, {first.column}" if first.row else "",
            remedy=_REMEDY,
        )


class ManifestLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One physical label: what its code says, and its record or the images that enrol it."""

    name: str
    track: Track
    split: Split
    uri: str
    record: str = ""
    enrolment: tuple[str, ...] = ()
    template: str = ""
    placement: Placement | None = None


class ManifestCapture(msgspec.Struct, frozen=True, kw_only=True):
    """One capture of what claims to be a label. ``row`` is where it stands in the manifest."""

    row: int
    label: str
    attack: str
    files: tuple[str, ...]
    phone: str
    light: str = ""
    distance_mm: float | None = None
    condition: str = ""
    path: TiltPath = TiltPath(())


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Labels and their captures; ``source`` says whether they were taken or simulated, all of them alike."""

    labels: dict[str, ManifestLabel]
    captures: tuple[ManifestCapture, ...]
    source: Source = "captured"

    def file_rows(self) -> dict[str, int]:
        """Every file that is named, with the first row that names it."""
        named: dict[str, int] = {}
        first: dict[str, int] = {}
        for capture in self.captures:
            first.setdefault(capture.label, capture.row)
            for file in capture.files:
                named.setdefault(file, capture.row)
        for label in self.labels.values():
            for file in (*label.enrolment, *filter(None, (label.record, label.template))):
                named.setdefault(file, first[label.name])
        return named


Row = dict[str, str]
Faults = list[ManifestFault]


def read_manifest(data: bytes) -> Manifest:
    """The captures of a manifest and their labels.

    Raises ``FaultyManifestError`` (``label.manifest.form``) with every fault, and ``TooLargeError``
    (``label.manifest.too_large``).
    """
    rows = _rows(data)
    faults: Faults = []
    captures = []
    for number, row in rows:
        capture = _capture(number, row, faults)
        if capture is not None:
            captures.append(capture)
    labels = _labels(rows, faults)
    faults += _leaks(rows)
    source = _source(rows, faults)
    if faults:
        raise FaultyManifestError(faults)
    return Manifest(labels=labels, captures=tuple(captures), source=source)


def write_manifest(rows: Iterable[Row]) -> str:
    """The text of a manifest; ``rows`` have columns of ``COLUMNS``, absent ones are empty."""
    out = io.StringIO()
    out.write(MANIFEST_MARK + "\n")
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"attack": OWN} if row.get("attack") == GENUINE else row)
    return out.getvalue()


def _rows(data: bytes) -> list[tuple[int, Row]]:
    if len(data) > MAX_BYTES:
        raise TooLargeError(
            "label.manifest.too_large", f"A manifest has at most {MAX_BYTES:,} bytes.", remedy="Part it."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FaultyManifestError([ManifestFault(0, "", "The manifest is not UTF-8.")]) from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        mark = next(lines, [])
        header = [name.strip() for name in next(lines, [])]
        table = [
            (number, cells)
            for number, cells in enumerate(lines, _FIRST_ROW)
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise FaultyManifestError([ManifestFault(0, "", f"The manifest is no CSV: {error}.")]) from error
    faults = _header_faults(mark, header)
    if not table and not faults:
        faults.append(ManifestFault(0, "", "The manifest has no captures."))
    if len(table) > MAX_ROWS:
        raise TooLargeError(
            "label.manifest.too_large", f"A manifest has at most {MAX_ROWS:,} rows.", remedy="Part it."
        )
    if faults:
        raise FaultyManifestError(faults)
    return [(number, _named(header, cells)) for number, cells in table]


def _header_faults(mark: list[str], header: list[str]) -> Faults:
    if not mark or mark[0].strip() != MANIFEST_MARK:
        return [ManifestFault(1, "A", f"The first line must be: {MANIFEST_MARK}")]
    faults = [ManifestFault(2, name, "This column is missing.") for name in REQUIRED if name not in header]
    for name in dict.fromkeys(filter(None, header)):
        if name not in COLUMNS:
            faults.append(ManifestFault(2, name, f"No such column; there are {', '.join(COLUMNS)}."))
        elif header.count(name) > 1:
            faults.append(ManifestFault(2, name, "This column is there twice."))
    return faults


def _named(header: list[str], cells: list[str]) -> Row:
    row = dict.fromkeys(COLUMNS, "")
    row |= {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
    row["+"] = " ".join(cells[len(header) :]).strip()
    return row


def _capture(number: int, row: Row, faults: Faults) -> ManifestCapture | None:
    before = len(faults)

    def fault(column: str, reason: str) -> None:
        faults.append(ManifestFault(number, column, reason))

    for column in REQUIRED:
        if not row[column]:
            fault(column, "This must not be empty.")
    if row["+"]:
        fault(COLUMNS[-1], "The row has more cells than there are columns; quote cells that hold a comma.")
    if row["split"] and row["split"] not in ("calibration", "test"):
        fault("split", "calibration or test.")
    if row["track"] and row["track"] not in ("A", "B"):
        fault("track", "A (a printed pattern) or B (a dynamic label).")
    if row["attack"] and not _WORD.fullmatch(row["attack"]):
        fault("attack", f"{OWN}, or the attack in lower case letters, digits and underscores.")
    attack = GENUINE if row["attack"] == OWN else row["attack"]
    if row["condition"] and attack != GENUINE:
        fault("condition", f"Only captures of the label itself ({OWN}) have a condition.")
    files = files_in(row["files"], lambda reason: fault("files", reason))
    if row["track"] == "A" and len(files) > 1:
        fault("files", "A printed pattern is checked by one photo.")
    path = path_in(row["path"])
    if path is None:
        fault("path", f"Directions with a space between, of: {', '.join(DIRECTIONS)}.")
    distance = number_in(row["distance_mm"])
    if row["distance_mm"] and (distance is None or not 1 <= distance <= 10_000):
        fault("distance_mm", "A number from 1 to 10000, or empty.")
    if len(faults) > before or path is None:
        return None
    return ManifestCapture(
        row=number,
        label=row["label"],
        attack=attack,
        files=files,
        phone=row["phone"],
        light=row["light"],
        distance_mm=distance,
        condition=row["condition"],
        path=path,
    )


def _labels(rows: list[tuple[int, Row]], faults: Faults) -> dict[str, ManifestLabel]:
    """What each label is, from all its rows together: they must agree, and need not repeat what one of them said."""
    merged: dict[str, Row] = {}
    first: dict[str, int] = {}
    for number, row in rows:
        if not row["label"]:
            continue
        label = merged.setdefault(row["label"], dict.fromkeys(COLUMNS, ""))
        first.setdefault(row["label"], number)
        for column in ("track", "split", "uri", "record", "enrolment", "template", "placement"):
            if column == "split":  # leaks are told apart
                label[column] = label[column] or row[column]
            elif row[column] and label[column] and row[column] != label[column]:
                faults.append(ManifestFault(number, column, "Another row says otherwise of this label."))
            else:
                label[column] = label[column] or row[column]
    return {
        name: found
        for name, row in merged.items()
        if (found := _label(name, row, first[name], faults)) is not None
    }


def _label(name: str, row: Row, number: int, faults: Faults) -> ManifestLabel | None:
    before = len(faults)

    def fault(column: str, reason: str) -> None:
        faults.append(ManifestFault(number, column, reason))

    if bool(row["record"]) == bool(row["enrolment"]):
        fault("record", "A label needs its record, or the images that enrol it, and not both.")
    enrolment = files_in(row["enrolment"], lambda reason: fault("enrolment", reason))
    for column in ("record", "template"):
        if len(files_in(row[column], lambda reason, column=column: fault(column, reason))) > 1:  # type: ignore[misc]
            fault(column, "One file.")
    placement = placement_in(row["placement"])
    if row["track"] == "A":
        if not row["template"]:
            fault("template", "A printed pattern needs the file of its template, 512 bytes.")
        if placement is None:
            fault("placement", "x, y and side of the pattern in modules of the code, with a space between.")
    elif row["track"] == "B" and (row["template"] or row["placement"]):
        fault("template" if row["template"] else "placement", "A dynamic label has none.")
    if len(faults) > before or row["track"] not in ("A", "B") or row["split"] not in ("calibration", "test"):
        return None
    return ManifestLabel(
        name=name,
        track=cast(Track, row["track"]),
        split=cast(Split, row["split"]),
        uri=row["uri"],
        record=row["record"],
        enrolment=enrolment,
        template=row["template"],
        placement=placement,
    )


def _source(rows: list[tuple[int, Row]], faults: Faults) -> Source:
    """Where the captures come from; what was simulated and what was taken share no table, and so no manifest."""
    first: Source | None = None
    for number, row in rows:
        source = next((one for one in SOURCES if one == (row["source"] or "captured")), None)
        if source is None:
            faults.append(ManifestFault(number, "source", f"{' or '.join(SOURCES)}, or empty: captured."))
        elif first is None:
            first = source
        elif source != first:
            faults.append(ManifestFault(number, "source", "Other rows say otherwise; part the manifest."))
    return first or "captured"


def _leaks(rows: list[tuple[int, Row]]) -> Iterable[ManifestFault]:
    """Labels and phones that stand in both splits: what is fitted on one must be unseen in the other."""
    for column in ("label", "phone"):
        seen: dict[str, str] = {}
        told: dict[str, bool] = defaultdict(bool)
        for number, row in rows:
            name, split = row[column], row["split"]
            if not name or not split:
                continue
            if seen.setdefault(name, split) != split and not told[name]:
                told[name] = True
                yield ManifestFault(number, column, f"This {column} is in both splits; it belongs to one.")
