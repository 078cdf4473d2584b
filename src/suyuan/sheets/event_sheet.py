"""A sheet of events, one a row, for firms without electronic data interchange.

The type follows from what the row names: a parent makes an AggregationEvent (a row's things are its
children), a thing or a lot an ObjectEvent, documents alone a TransactionEvent. The action is the row's own,
else what the step usually does (packing adds, unpacking removes), else OBSERVE.
"""

from __future__ import annotations

from typing import Final

from suyuan.epcis import cbv
from suyuan.epcis.model import Action, Event, QuantityElement
from suyuan.epcis.reading import DerivedEvent
from suyuan.errors import InputError
from suyuan.sheets.cells import Row, Sheet
from suyuan.sheets.choices import meanings_of
from suyuan.sheets.documents import Findings, note_personal, read_city, read_documents, read_uri, waybill_uri
from suyuan.sheets.drafting import draft_event, text_extensions
from suyuan.sheets.things import lot_uri, read_container, read_gtin, read_place, read_serial
from suyuan.sheets.values import read_amount, read_moment, read_step, read_unit, wrong

RULE: Final = "sheet.events/1"
_ACTIONS: Final[dict[str, Action]] = {"ADD": "ADD", "OBSERVE": "OBSERVE", "DELETE": "DELETE"}


def read_event_sheet(sheet: Sheet, findings: Findings) -> list[DerivedEvent]:
    """The events of the sheet, in its order."""
    derived = []
    for row in sheet:
        with findings.judging(row, "sheet/events"):
            derived.append(DerivedEvent(event=_event(row, findings), path=row.path, rule=RULE))
    return derived


def _event(row: Row, findings: Findings) -> Event:
    step = read_step(row.need("step"))
    action: Action = step.action
    if cell := row.get("action"):
        if cell.text.upper() not in _ACTIONS:
            raise wrong("action", cell, "This is not an action.", "Use ADD, OBSERVE or DELETE.")
        action = _ACTIONS[cell.text.upper()]
    disposition = None
    if cell := row.get("disposition"):
        word = meanings_of("disposition").get(cell.text.casefold(), cell.text)
        disposition = cbv.expand("disposition", word)
        if disposition is None:
            raise wrong(
                "disposition",
                cell,
                "This is not a disposition.",
                "Use a word of the CBV or a URI.",
            )
    parent = _parent(row, findings)
    things = _things(row, findings, parent)
    quantities = _quantities(row)
    documents = read_documents(row, findings)
    if parent is None and not things and not quantities:
        things = _parcel_or_container(row, findings)
    if things and things[0].startswith("urn:suyuan:raw:"):
        documents = tuple(each for each in documents if each.biz_transaction not in things)
    if parent is not None and action != "DELETE" and not things and not quantities:
        raise InputError(
            "sheet.cell.missing",
            "A parent without anything in it.",
            path=row.path,
            remedy="Name what is in it.",
        )
    if parent is None and not things and not quantities and not documents:
        raise InputError(
            "sheet.cell.missing",
            "The row names neither a thing nor a lot nor a document.",
            path=row.path,
            remedy="Say what the event is about.",
        )
    note_personal(row, findings, unknown_too=False)
    has_things = bool(things or quantities)
    return draft_event(
        "AggregationEvent" if parent is not None else "ObjectEvent" if has_things else "TransactionEvent",
        read_moment(row),
        step=step.uri,
        action="ADD" if parent is None and not has_things and action == "OBSERVE" else action,
        place=read_place(row),
        disposition=disposition,
        documents=documents,
        parent=parent,
        epcs=things,
        quantities=quantities,
        extensions=text_extensions(
            {
                "result": row.text("result")[:200],
                "city": read_city(row, findings),
                "shelf": row.text("shelf")[:40],
                "vehicleNo": row.text("vehicle")[:40],
                "vessel": row.text("vessel")[:80],
                "voyage": row.text("voyage")[:40],
                "sealNo": row.text("seal")[:40],
            }
        ),
    )


def _parent(row: Row, findings: Findings) -> str | None:
    cell = row.get("parent")
    if cell is not None:
        return read_uri(cell, findings)
    container = row.get("container")
    has_inside = any(row.get(field) for field in ("child", "thing", "serial"))
    return read_container(container) if container is not None and has_inside else None


def _things(row: Row, findings: Findings, parent: str | None) -> tuple[str, ...]:
    gtin_cell = row.get("gtin")
    gtin = read_gtin(gtin_cell) if gtin_cell else ""
    cell = row.get("thing") or row.get("child") or row.get("serial")
    found: dict[str, None] = {}
    for part in cell.parts() if cell else ():
        uri = read_uri(part, findings, gtin)
        if uri == parent:
            raise wrong("contains_itself", part, "This is packed in itself.", "Correct the code.")
        found[uri] = None
    return tuple(found)


def _quantities(row: Row) -> tuple[QuantityElement, ...]:
    lot, gtin = row.get("lot"), row.get("gtin")
    if lot is None or row.get("thing") or row.get("child") or row.get("serial"):
        return ()
    if gtin is None:
        raise InputError(
            "sheet.cell.missing",
            "A lot needs the GTIN that it is a lot of.",
            path=row.path,
            remedy="Fill in the GTIN, or state it once above the table.",
        )
    cell = row.get("quantity")
    return (
        QuantityElement(
            epc_class=lot_uri(read_gtin(gtin), read_serial(lot)),
            quantity=read_amount(cell) if cell else None,
            uom=read_unit(row),
        ),
    )


def _parcel_or_container(row: Row, findings: Findings) -> tuple[str, ...]:
    """What the event is about where no code is given: the containers, else the parcel."""
    if container := row.get("container"):
        return tuple(dict.fromkeys(read_container(part) for part in container.parts()))
    if row.get("waybill") and row.get("carrier"):
        return (waybill_uri(row, findings),)
    return ()
