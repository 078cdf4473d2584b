"""A tally of goods received into a bonded warehouse (入库理货单).

What a row says becomes events of the kinds that its columns allow:

* one *receiving* of each lot under one tally, ledger item and place: the intact quantity of all its rows;
* one *unloading* (DELETE) of each container, naming the pallets that came out of it;
* one *unpacking* (DELETE, of everything inside) of each pallet;
* one *holding* with disposition damaged for what arrived damaged: by serial where serials are given, the rest
  by quantity.

The quantity received counts intact pieces only; damaged ones are stated beside it. A quantity that was
expected is kept as an extension, so that a shortage shows without being computed here.
"""

from __future__ import annotations

from typing import Final

from suyuan.epcis.model import BizTransaction, QuantityElement
from suyuan.epcis.reading import DerivedEvent
from suyuan.sheets.cells import Row, Sheet
from suyuan.sheets.documents import Findings, check_gathered, note_personal, read_documents
from suyuan.sheets.drafting import CBV_DISPOSITION, CBV_STEP, draft_event, number_extension, text_extensions
from suyuan.sheets.things import lot_uri, read_container, read_gtin, read_place, read_serial, read_thing
from suyuan.sheets.values import Moment, read_moment, read_whole, wrong

_SHARED: Final = ("tally", "ledger_no", "ledger_item", "bonded_list")


class _Opened:
    """A container or pallet that was emptied: what came out of it by name, and the documents of its rows."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.inside: dict[str, None] = {}
        self.documents: dict[BizTransaction, None] = {}


class _Received:
    """The rows of one lot under one tally, ledger item, place and time."""

    def __init__(self, path: str, moment: Moment, place: str) -> None:
        self.path = path
        self.documents: dict[BizTransaction, None] = {}
        self.moment = moment
        self.place = place
        self.intact = 0
        self.expected = 0
        self.is_expected = False
        self.damaged = 0
        self.damaged_items: dict[str, str] = {}
        self.shelves: dict[str, None] = {}


def read_tally(sheet: Sheet, findings: Findings) -> list[DerivedEvent]:
    """The events of a tally: unloading, unpacking, receiving, holding, in this order."""
    containers: dict[tuple[str, Moment, str], _Opened] = {}
    pallets: dict[tuple[str, Moment, str], _Opened] = {}
    lots: dict[tuple[str, ...], _Received] = {}
    for row in sheet:
        check_gathered(len(containers) + len(pallets) + len(lots))
        with findings.judging(row, "sheet/tally"):
            moment, place = read_moment(row), read_place(row)
            documents = dict.fromkeys(read_documents(row, findings))
            note_personal(row, findings, unknown_too=False)
            pallet = read_thing(parent) if (parent := row.get("parent")) else ""
            if pallet:
                pallets.setdefault((pallet, moment, place), _Opened(row.path)).documents.update(documents)
            if container := row.get("container"):
                opened = containers.setdefault((read_container(container), moment, place), _Opened(row.path))
                opened.documents.update(documents)
                opened.inside.update({pallet: None} if pallet else {})
            gtin = read_gtin(row.need("gtin"))
            lot = lot_uri(gtin, read_serial(row.need("lot")))
            key = (lot, place, moment.time.isoformat(), *(row.text(field) for field in _SHARED))
            received = lots.setdefault(key, _Received(row.path, moment, place))
            received.documents.update(documents)
            _add(received, row, gtin)
    derived = [_taken_out("unloading", *key, opened) for key, opened in containers.items()]
    derived += [_taken_out("unpacking", *key, opened) for key, opened in pallets.items()]
    for (lot, *_), received in lots.items():
        derived += _counted(lot, received)
    return derived


def _add(received: _Received, row: Row, gtin: str) -> None:
    received.intact += read_whole(row.need("quantity_received"))
    if cell := row.get("quantity_expected"):
        received.expected += read_whole(cell)
        received.is_expected = True
    if cell := row.get("shelf"):
        received.shelves[cell.text[:40]] = None
    damaged = row.get("quantity_damaged")
    count = read_whole(damaged) if damaged else 0
    serials = row.get("damaged_serials")
    items = [(read_thing(part, gtin), part) for part in serials.parts()] if serials else []
    for uri, part in items:
        if uri in received.damaged_items:
            raise wrong(
                "twice", part, f"This item is named as damaged twice, first in {received.damaged_items[uri]}."
            )
        received.damaged_items[uri] = part.path
    if serials and damaged and len(items) > count:
        raise wrong(
            "count",
            serials,
            f"{len(items)} damaged items are named and {count} are counted.",
            "Correct one of them.",
        )
    received.damaged += max(count, len(items))


def _taken_out(step: str, name: str, moment: Moment, place: str, opened: _Opened) -> DerivedEvent:
    event = draft_event(
        "AggregationEvent",
        moment,
        step=CBV_STEP + step,
        action="DELETE",
        place=place,
        documents=tuple(opened.documents),
        parent=name,
        epcs=tuple(opened.inside),
    )
    return DerivedEvent(event=event, path=opened.path, rule=f"sheet.tally.{step}/1")


def _counted(lot: str, received: _Received) -> list[DerivedEvent]:
    documents = tuple(received.documents)
    extensions = text_extensions({"shelf": " ".join(received.shelves)})
    if received.is_expected:
        extensions = (*extensions, number_extension("quantityExpected", received.expected))
    event = draft_event(
        "ObjectEvent",
        received.moment,
        step=CBV_STEP + "receiving",
        action="OBSERVE",
        place=received.place,
        disposition=CBV_DISPOSITION + "in_progress",
        documents=documents,
        quantities=(QuantityElement(epc_class=lot, quantity=str(received.intact)),),
        extensions=extensions,
    )
    derived = [DerivedEvent(event=event, path=received.path, rule="sheet.tally.receiving/1")]
    if received.damaged:
        rest = received.damaged - len(received.damaged_items)
        event = draft_event(
            "ObjectEvent",
            received.moment,
            step=CBV_STEP + "holding",
            action="OBSERVE",
            place=received.place,
            disposition=CBV_DISPOSITION + "damaged",
            documents=documents,
            epcs=tuple(received.damaged_items),
            quantities=(QuantityElement(epc_class=lot, quantity=str(rest)),) if rest else (),
        )
        derived.append(DerivedEvent(event=event, path=received.path, rule="sheet.tally.holding/1"))
    return derived
