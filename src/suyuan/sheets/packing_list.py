"""A packing list: what is packed in what. One AggregationEvent for each parent.

Rows with one parent, time and step are one event. A child is a code of its own, or so many of a lot. Where
the row also says what an identified child holds (a lot, units in it), the event carries that as an extension.
"""

from __future__ import annotations

from typing import Final

from suyuan.epcis.model import BizTransaction, Event, QuantityElement
from suyuan.epcis.reading import DerivedEvent
from suyuan.errors import InputError
from suyuan.sheets.cells import Cell, Row, Sheet
from suyuan.sheets.documents import Findings, check_gathered, note_personal, read_documents, read_uri
from suyuan.sheets.drafting import CBV_STEP, draft_event, number_extension, text_extensions
from suyuan.sheets.things import lot_uri, read_container, read_gtin, read_place, read_serial, read_thing
from suyuan.sheets.values import Moment, Step, read_amount, read_moment, read_step, read_unit

RULE: Final = "sheet.packing-list/1"


class _Packed:
    """The rows of one parent, gathered."""

    def __init__(self, row: Row, moment: Moment, place: str) -> None:
        self.row = row
        self.moment = moment
        self.place = place
        self.children: dict[str, Cell] = {}
        self.quantities: list[QuantityElement] = []
        self.lots: dict[str, None] = {}
        self.units: set[str] = set()
        self.documents: dict[BizTransaction, None] = {}


def read_packing_list(sheet: Sheet, findings: Findings) -> list[DerivedEvent]:
    """The events of a packing list, in the order in which parents appear."""
    groups: dict[tuple[str, Moment, str, Step], _Packed] = {}
    for row in sheet:
        check_gathered(len(groups))
        with findings.judging(row, "sheet/packing-list"):
            parent = _parent(row)
            moment, place = read_moment(row), read_place(row)
            cell = row.get("step")
            step = read_step(cell) if cell else _usual_step(parent)
            group = groups.setdefault((parent, moment, place, step), _Packed(row, moment, place))
            _add_child(group, row, parent, findings)
            group.documents.update(dict.fromkeys(read_documents(row, findings)))
            note_personal(row, findings, unknown_too=False)
            if row.get("container") and row.get("parent") and _has_child(row):
                findings.warn(
                    "sheet.packing.container",
                    row.path,
                    "The container is not taken from a list of cases: state its loading as a row of its own,"
                    " or by an event.",
                )
    return [
        DerivedEvent(event=_event(parent, step, group), path=group.row.path, rule=RULE)
        for (parent, _, _, step), group in groups.items()
    ]


def _parent(row: Row) -> str:
    if row.get("container") and not (row.get("parent") and _has_child(row)):
        return read_container(row.need("container"))
    return read_thing(row.need("parent"))


def _has_child(row: Row) -> bool:
    return any(row.get(field) for field in ("child", "thing", "serial", "quantity"))


def _usual_step(parent: str) -> Step:
    step = "loading" if parent.startswith("urn:epc:id:bic:") else "packing"
    return Step(uri=CBV_STEP + step, action="ADD")


def _add_child(group: _Packed, row: Row, parent: str, findings: Findings) -> None:
    gtin_cell, lot_cell = row.get("gtin"), row.get("lot")
    gtin = read_gtin(gtin_cell) if gtin_cell else ""
    cell = row.get("child") or row.get("thing") or row.get("serial")
    if cell is None and row.get("container") and parent.startswith("urn:epc:id:bic:"):
        cell = row.get("parent")
    if cell is not None:
        for part in cell.parts():
            uri = read_uri(part, findings, gtin)
            if uri == parent:
                raise _refused("contains_itself", part, "This is packed in itself.")
            if uri in group.children:
                raise _refused(
                    "twice",
                    part,
                    f"The list names this child of its parent twice, first in {group.children[uri].path}.",
                )
            group.children[uri] = part
        if lot_cell:
            group.lots[read_serial(lot_cell)] = None
        if units := row.get("units_per_child") or row.get("quantity"):
            group.units.add(read_amount(units))
        return
    if lot_cell is None:
        raise InputError(
            "sheet.cell.missing",
            "The row names neither a child nor a lot.",
            path=row.path,
            remedy="Fill in the code of what is packed, or lot, GTIN and quantity.",
        )
    if not gtin:
        raise InputError(
            "sheet.cell.missing",
            "A lot needs the GTIN that it is a lot of.",
            path=row.path,
            remedy="Fill in the GTIN, or state it once above the table.",
        )
    group.quantities.append(
        QuantityElement(
            epc_class=lot_uri(gtin, read_serial(lot_cell)),
            quantity=read_amount(row.need("quantity")),
            uom=read_unit(row),
        )
    )


def _refused(code: str, cell: Cell, reason: str) -> InputError:
    return InputError(
        f"sheet.cell.{code}", reason, path=cell.path, remedy="Correct the code, or remove the row."
    )


def _event(parent: str, step: Step, group: _Packed) -> Event:
    extensions = text_extensions({"lot": " ".join(group.lots)})
    if len(group.units) == 1:
        extensions = (*extensions, number_extension("unitsPerChild", *group.units))
    return draft_event(
        "AggregationEvent",
        group.moment,
        step=step.uri,
        action=step.action,
        place=group.place,
        documents=tuple(group.documents),
        parent=parent,
        epcs=tuple(group.children),
        quantities=tuple(group.quantities),
        extensions=extensions,
    )
