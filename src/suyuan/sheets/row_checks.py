"""Every cell of a row by itself, for a row that has a fault: the reader stops at the first, the sender wants all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from suyuan.errors import SuyuanError
from suyuan.sheets.cells import Cell, Row
from suyuan.sheets.things import read_container, read_gtin, read_place, read_serial, read_thing
from suyuan.sheets.values import read_amount, read_moment, read_step, read_unit, read_whole

_CELLS: Final[dict[str, Callable[[Cell], object]]] = {
    "gtin": read_gtin,
    "lot": read_serial,
    "step": read_step,
    "quantity": read_amount,
    "quantity_received": read_whole,
    "quantity_damaged": read_whole,
    "quantity_expected": read_whole,
}
_PARTS: Final[dict[str, Callable[[Cell], object]]] = {"container": read_container, "parent": read_thing}
_THINGS: Final = ("child", "thing", "serial", "damaged_serials")
_OF_KIND: Final = {
    "sheet/packing-list": "parent container child thing serial gtin lot quantity unit step",
    "sheet/tally": "parent container damaged_serials gtin lot quantity_received quantity_damaged quantity_expected",
    "sheet/events": "parent container child thing serial gtin lot quantity unit step",
    "log/verification": "thing serial gtin",
}
_NEEDED: Final = {
    "sheet/tally": "gtin lot quantity_received",
    "sheet/events": "step",
    "scan/courier": "carrier waybill",
    "log/verification": "result",
}


def row_errors(row: Row, kind: str) -> Iterator[SuyuanError]:
    """The errors of the cells that a sheet of this kind reads, one for each cell."""
    yield from _errors(lambda: read_moment(row))
    yield from _errors(lambda: read_place(row))
    for field in _NEEDED.get(kind, "").split():
        yield from _errors(lambda f=field: row.need(f))  # type: ignore[misc]
    fields = _OF_KIND.get(kind, "").split()
    for field in fields:
        cell = row.get(field)
        if cell is None:
            continue
        if field == "unit":
            yield from _errors(lambda: read_unit(row))
        elif field in _CELLS:
            yield from _errors(lambda f=field, c=cell: _CELLS[f](c))  # type: ignore[misc]
        elif field in _PARTS:
            for part in cell.parts():
                yield from _errors(lambda f=field, c=part: _PARTS[f](c))  # type: ignore[misc]
        elif field in _THINGS:
            yield from _things(row, cell)


def _things(row: Row, cell: Cell) -> Iterator[SuyuanError]:
    number = row.get("gtin")
    try:
        gtin = read_gtin(number) if number else ""
    except SuyuanError:
        return  # told by the GTIN's own cell; without it a serial cannot be judged
    for part in cell.parts():
        yield from _errors(lambda c=part: read_thing(c, gtin))  # type: ignore[misc]


def _errors(read: Callable[[], object]) -> Iterator[SuyuanError]:
    try:
        read()
    except SuyuanError as error:
        yield error
