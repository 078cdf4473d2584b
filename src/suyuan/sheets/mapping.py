"""A mapping: where another system's scans keep what we need, and what its codes mean.

A mapping is TOML. It travels in front of the scans that it explains, so that the evidence holds both and reading stays
a matter of bytes alone::

    #suyuan:mapping
    format = "json"                  # csv, json, jsonl
    records = "data.traces"          # which list holds the scans, where there are several
    zone = "+08:00"                  # of times that do not say
    time = "epoch-millis"            # or epoch-seconds, text, a form such as %d/%m/%Y %H:%M
    [fields]
    waybill = "^.mailNo"             # a column, or a path from the scan; ^. looks in the objects around it
    time = "opTime"
    status = "opCode"
    [constants]
    carrier = "440196X001"
    [values.status]
    "10" = "collected"
    "85" = {status = "arrived", step = "storing", disposition = "in_progress"}
    #suyuan:data
    {"data": [...]}
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec

from suyuan.errors import InputError, SuyuanError, TooLargeError
from suyuan.sheets.cells import Cell
from suyuan.sheets.headers import field_names, lacking_for
from suyuan.sheets.values import read_zone, wrong

MARK: Final = b"#suyuan:mapping"
_DATA: Final = re.compile(rb"^#suyuan:data[ \t]*\r?\n", re.MULTILINE)
_BOM: Final = b"\xef\xbb\xbf"
_EXAMPLES: Final = "Correct it after one of examples/mappings, whose README tells what goes into a mapping."
MAX_MAPPING: Final = 64 * 1024
FORMATS: Final = ("csv", "json", "jsonl")
KINDS: Final = ("scan/courier", "log/verification")
# Constants are what holds for all scans of a carrier; nothing of a person can be one.
_CONSTANTS: Final = frozenset(
    {"carrier", "zone", "place", "unlocode", "customs_code", "city", "gtin", "result"}
)
_EPOCH: Final = re.compile(r"-?\d{1,16}")
_SOME_DAY: Final = datetime(2026, 11, 25, 13, 45, 59, tzinfo=UTC)
_DIVISORS: Final = {"epoch-millis": 1000, "epoch-seconds": 1}


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a code means: our word for a status, a business step, a disposition."""

    status: str = ""
    step: str = ""
    disposition: str = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How scans of another system are read. ``fields`` gives the column or path of each of our fields."""

    format: str
    fields: dict[str, str]
    kind: str = "scan/courier"
    records: str = ""
    zone: str = ""
    time: str = "text"
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str | Meaning]] = {}

    def value(self, field: str, cell: Cell) -> dict[str, Cell]:
        """The cells that a cell of ``field`` stands for: itself with its text translated, and what its code adds."""
        if field == "time" and self.time != "text":
            return {field: msgspec.structs.replace(cell, text=self._moment(cell), numeric=False)}
        known = self.values.get(field, {}).get(cell.text)
        if known is None:
            return {field: cell}
        meaning = Meaning(known) if isinstance(known, str) else known
        if field != "status":
            return {field: msgspec.structs.replace(cell, text=meaning.status, numeric=False)}
        found = {"status": meaning.status, "step": meaning.step, "disposition": meaning.disposition}
        return {
            name: msgspec.structs.replace(cell, text=text, numeric=False)
            for name, text in found.items()
            if text
        }

    def _moment(self, cell: Cell) -> str:
        if divisor := _DIVISORS.get(self.time):
            if not _EPOCH.fullmatch(cell.text):
                raise wrong(
                    "time", cell, f"This is no count of {self.time.replace('epoch-', '')} since 1970."
                )
            zone = read_zone(Cell(text=self.zone or "Z", path="zone"))
            shift = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[4:]))
            try:
                moment = datetime.fromtimestamp(0, UTC) + timedelta(
                    milliseconds=int(cell.text) * 1000 // divisor
                )
                return moment.astimezone(timezone(shift)).isoformat(timespec="milliseconds")
            except (OverflowError, ValueError):
                raise wrong("time", cell, "This is no moment that exists.") from None
        try:
            return datetime.strptime(cell.text, self.time).isoformat()  # noqa: DTZ007 - its zone is beside it
        except ValueError:
            raise wrong("time", cell, f"This is no time of the form {self.time[:40]}.") from None


def _is_form(form: str) -> bool:
    """Whether times can be read by a form: each part known, and none there twice."""
    if "%" not in form:
        return False
    try:
        datetime.strptime(_SOME_DAY.strftime(form), form)  # noqa: DTZ007 - only the form is tried
    except (ValueError, re.error):
        return False
    return True


def is_mapped(data: bytes) -> bool:
    """Whether the bytes begin with a mapping."""
    return data.startswith((MARK, _BOM + MARK))


def is_json_mapping(head: bytes) -> bool:
    """Whether the mapping at the beginning explains JSON; not if it is none, or does not end there."""
    try:
        return split_mapped(head)[0].format != "csv"
    except SuyuanError:
        return False


def with_mapping(mapping: bytes, data: bytes) -> bytes:
    """The scans with their mapping in front, as ``read`` takes them. Raises as ``read_mapping``."""
    text = mapping.removeprefix(_BOM)
    read_mapping(text)
    head = text if text.startswith(MARK) else MARK + b"\n" + text
    return head.rstrip() + b"\n#suyuan:data\n" + data


def split_mapped(data: bytes) -> tuple[Mapping, int]:
    """The mapping in front of the scans, and where the scans begin.

    Raises ``InputError`` (``sheet.mapping.*``) or ``TooLargeError`` (``sheet.mapping.too_large``).
    """
    mark = _DATA.search(data, 0, MAX_MAPPING + 64)
    if mark is None:
        raise InputError(
            "sheet.mapping.no_data",
            "A mapping stands in front, and no line #suyuan:data after it.",
            remedy="Put that line between the mapping and the scans.",
        )
    return read_mapping(data[: mark.start()]), mark.end()


def read_mapping(data: bytes) -> Mapping:
    """A mapping from its TOML. Raises as ``split_mapped``."""
    if len(data) > MAX_MAPPING:
        raise TooLargeError("sheet.mapping.too_large", f"A mapping has at most {MAX_MAPPING // 1024} KiB.")
    try:
        mapping = msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), Mapping)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            "sheet.mapping.malformed",
            f"The mapping is not TOML: {str(error)[:120]}.",
            path="mapping",
            remedy=_EXAMPLES,
        ) from None
    except msgspec.ValidationError as error:
        raise InputError(
            "sheet.mapping.malformed", f"{str(error)[:200]}.", path="mapping", remedy=_EXAMPLES
        ) from None
    _check(mapping)
    return mapping


def check_stored(data: bytes) -> Mapping:
    """A mapping that is to read scans without being named: one that gives whatever a scan is nothing without.

    Raises ``InputError`` (``sheet.mapping.incomplete``) and as ``read_mapping``.
    """
    mapping = read_mapping(data)
    if lacking := lacking_for(mapping.kind, {*mapping.fields, *mapping.constants}):
        raise InputError(
            "sheet.mapping.incomplete",
            f"The mapping gives no {' and no '.join(lacking)}; scans cannot be known by it.",
            path="mapping: fields",
            remedy="Say under [fields] where it stands.",
        )
    return mapping


def _check(mapping: Mapping) -> None:
    if mapping.format not in FORMATS or mapping.kind not in KINDS:
        raise _wrong("format", f"A mapping is for {', '.join(FORMATS)}, of the kind {' or '.join(KINDS)}.")
    for field in (*mapping.fields, *mapping.values):
        if field not in field_names():
            raise _wrong(f"fields.{field[:40]}", "There is no field of that name.")
    for field in mapping.constants:
        if field not in _CONSTANTS:
            raise _wrong(f"constants.{field[:40]}", "This cannot be the same for all scans.")
    for field, meanings in mapping.values.items():
        if field != "status" and not all(isinstance(meaning, str) for meaning in meanings.values()):
            raise _wrong(f"values.{field[:40]}", "Only a status means a step and a disposition.")
    if mapping.time not in ("text", *_DIVISORS) and not _is_form(mapping.time):
        raise _wrong("time", "This is no form of a time.")
    if mapping.zone:
        read_zone(Cell(text=mapping.zone, path="mapping: zone"))


def _wrong(path: str, reason: str) -> InputError:
    return InputError(
        "sheet.mapping.field",
        reason,
        path=f"mapping: {path}",
        remedy="Correct the mapping; examples/mappings tells what goes into one.",
    )
