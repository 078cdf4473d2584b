"""Which of a party's stored mappings the scans are in the shape of.

A mapping is taken only where it is the one that fits: all its columns are there, or in a JSON list all that its kind
cannot do without. Two that fit are not chosen between, since what they hold for constant (the carrier, the zone) may
differ. A sheet in a shape of our own is read as that, unless a mapping accounts for each of the columns that make it
one: then the party has said what they mean. Nothing is stored and nothing is read in full here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from suyuan.errors import InputError, SuyuanError
from suyuan.sheets import reader
from suyuan.sheets.delimited import DELIMITERS, read_encoding, read_grid
from suyuan.sheets.headers import SEARCHED_ROWS, field_of, read_sheet, unknown_header
from suyuan.sheets.json_list import MAX_BYTES
from suyuan.sheets.mapped import find_csv_header
from suyuan.sheets.mapping import KINDS, MARK, Mapping, is_mapped, read_mapping, with_mapping

GLANCE: Final = 64 * 1024
_RECORDS: Final = 200
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
# What a scan is nothing without; of the other fields a list of scans may have none.
_NEEDED: Final = frozenset({"waybill", "carrier", "time", "status", "thing", "serial", "gtin", "result"})
_KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\.){1,80})"\s*:')


class StoredMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping that a party stored: its name, its version from 1 on, its TOML."""

    name: str
    version: int
    text: str

    @property
    def mapping(self) -> Mapping:
        """The mapping. Raises as ``read_mapping``."""
        return read_mapping(self.text.encode())

    def before(self, data: bytes) -> bytes:
        """The scans with this mapping in front, and a line that says which it is."""
        text = self.text.removeprefix("\ufeff").removeprefix(MARK.decode()).lstrip("\r\n")
        head = f"{MARK.decode()}\n# {self.name}, version {self.version}\n{text}"
        return with_mapping(head.encode(), data)


def may_be_scans(head: bytes) -> bool:
    """Whether a paper that begins so may be scans that a mapping explains: delimited text, or JSON that is no EPCIS."""
    start = head[:GLANCE].removeprefix(_BOM).lstrip(_SPACE)
    if not start or is_mapped(head) or start[:1] == b"<":
        return False
    if start[:1] in (b"{", b"["):
        return not any(mark in start for mark in (b"epcisBody", b"EPCISDocument", b"@context"))
    try:
        read_encoding(start[: start.rfind(b"\n") + 1] or start)
    except SuyuanError:
        return False
    return any(delimiter in start for delimiter in DELIMITERS)


def is_json(head: bytes) -> bool:
    """Whether what ``may_be_scans`` let pass is JSON, whose shape only the whole of it shows."""
    return head[:GLANCE].removeprefix(_BOM).lstrip(_SPACE)[:1] in (b"{", b"[")


def choose_mapping(stored: Sequence[StoredMapping], data: bytes) -> StoredMapping | None:
    """The stored mapping that the scans are to be read by; None for a sheet in a shape of our own.

    Of a delimited text the beginning will do. Raises ``InputError``: ``sheet.mapping.none`` where neither fits,
    ``sheet.mapping.ambiguous`` where two of them do.
    """
    own = reader.own_kind(data)
    if own is not None and own not in KINDS:
        return None
    found: list[StoredMapping] = []
    lacking: list[str] = []
    for one in stored:
        mapping = one.mapping
        if own is not None and (mapping.kind != own or not _accounts_for(mapping, data)):
            continue
        why = _lacking(mapping, data)
        if why:
            lacking.append(f"{one.name} {why}")
        elif all(one.text != other.text for other in found):
            found.append(one)
    if len(found) > 1:
        raise InputError(
            "sheet.mapping.ambiguous",
            f"The scans fit several stored mappings: {', '.join(one.name for one in found)}.",
            path="mapping",
            remedy="Name the one that is meant: --mapping NAME, over HTTP ?mapping=NAME.",
        )
    if found or own is not None:
        return found[0] if found else None
    raise InputError(
        "sheet.mapping.none",
        f"The scans fit none of the stored mappings: {'; '.join(lacking[:10])}.{_nearest(data)}",
        path="mapping",
        remedy="Store a mapping for this shape (suyuan mapping put), send one with the scans, or use a template.",
    )


def _nearest(data: bytes) -> str:
    """What a table lacks to be a sheet of ours, where it comes near to one."""
    if is_json(data):
        return ""
    text = _beginning(data)
    grids = [read_grid(text, delimiter, max_rows=SEARCHED_ROWS, strict=False) for delimiter in DELIMITERS]
    error = unknown_header(grids)
    return f" {error.reason}" if error.code == "sheet.header.incomplete" else ""


def _accounts_for(mapping: Mapping, data: bytes) -> bool:
    """Whether a mapping names every column that makes the sheet one of ours."""
    if is_json(data):
        labels = {key.decode("utf-8", "replace") for key in _KEY.findall(data[:GLANCE])}
        named = {part for path in mapping.fields.values() for part in path.removeprefix("^.").split(".")}
        return {label for label in labels if field_of(label)} <= named | set(mapping.records.split("."))
    return {label for label in _own_columns(data) if field_of(label)} <= set(mapping.fields.values())


def _own_columns(data: bytes) -> Iterator[str]:
    text = _beginning(data)
    for delimiter in DELIMITERS:
        grid = read_grid(text, delimiter, max_rows=SEARCHED_ROWS, strict=False)
        if read_sheet(grid) is not None:
            for cells in grid.rows:
                present = [cell.text for cell in cells if cell]
                if sum(field_of(label) is not None for label in present) > 1:
                    yield from present
                    return


def _beginning(data: bytes) -> bytes:
    text = data[:GLANCE]
    return text[: text.rfind(b"\n") + 1] or text


def _lacking(mapping: Mapping, data: bytes) -> str:
    """What of a mapping the scans do not have, in words; empty where it fits."""
    if (mapping.format == "csv") is is_json(data):
        return f"is for {mapping.format}"
    if mapping.format == "csv":
        missing = find_csv_header(_beginning(data), mapping).missing
        return "lacks " + ", ".join(sorted(text[:40] for text in missing)) if missing else ""
    if len(data) > MAX_BYTES:
        return f"is for at most {MAX_BYTES // 1024 // 1024} MiB"
    try:
        return _lacking_in(mapping, islice(_records(mapping, data), _RECORDS))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"is for {mapping.format}, which this is not"


def _lacking_in(mapping: Mapping, records: Iterator[tuple[str, set[str], set[str]]]) -> str:
    needed = {path for field, path in mapping.fields.items() if field in _NEEDED}
    best: set[str] | None = None
    for name, own, around in records:
        if mapping.records and name != mapping.records:
            continue
        missing = {
            path
            for path in needed
            if (path[2:] not in around if path.startswith("^.") else path not in own | around)
        }
        best = missing if best is None or len(missing) < len(best) else best
        if not best:
            return ""
    if best is None:
        return f"lacks the list {mapping.records[:80]}" if mapping.records else "lacks a list of scans"
    return "lacks " + ", ".join(sorted(path[:40] for path in best))


def _records(mapping: Mapping, data: bytes) -> Iterator[tuple[str, set[str], set[str]]]:
    """Of each record the list it is in, the paths that have a value in it, and those around it."""
    text = data.removeprefix(_BOM)
    if mapping.format == "json":
        yield from _inside(msgspec.json.decode(text), "", set())
        return
    for line in text.splitlines():
        if line.strip():
            yield from _inside(msgspec.json.decode(line), "", set())


def _inside(node: Any, name: str, around: set[str]) -> Iterator[tuple[str, set[str], set[str]]]:
    if isinstance(node, list):
        for child in node:
            yield from _inside(child, name, around)
    elif isinstance(node, dict):
        values: set[str] = set()
        lists: list[tuple[str, list[Any]]] = []
        _flatten(node, "", values, lists)
        for key, child in lists:
            yield from _inside(child, f"{name}.{key}".lstrip("."), around | values)
        if not lists:
            yield name, values, around


def _flatten(node: dict[str, Any], prefix: str, values: set[str], lists: list[tuple[str, list[Any]]]) -> None:
    for key, child in node.items():
        path = f"{prefix}{key}"
        if isinstance(child, dict):
            _flatten(child, f"{path}.", values, lists)
        elif isinstance(child, list) and any(isinstance(element, dict | list) for element in child):
            lists.append((path, child))
        elif isinstance(child, list):
            values.update(f"{path}.{n}" for n, element in enumerate(child) if element not in (None, ""))
        elif child is not None and (not isinstance(child, str) or child.strip()):
            values.add(path)
