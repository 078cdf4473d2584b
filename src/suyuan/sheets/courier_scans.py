"""Courier scans: the trail of a parcel between dispatch and signature, as JSON or as a table.

Each scan is an ObjectEvent about the parcel, which is named by its waybill in raw form. Status texts are free
text (they may name who signed): the event carries the word of our own that the text means, the text stays in
the evidence as personal data, and so does everything in columns that nobody knows.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from suyuan.epcis import cbv
from suyuan.epcis.reading import DerivedEvent
from suyuan.sheets.cells import Cell, Row, Sheet
from suyuan.sheets.choices import meanings_of
from suyuan.sheets.documents import Findings, note_personal, read_city, read_documents, waybill_uri
from suyuan.sheets.drafting import CBV_STEP, draft_event, text_extensions
from suyuan.sheets.things import read_place
from suyuan.sheets.values import read_moment, read_step, wrong

RULE: Final = "scan.courier/1"


class _Status(msgspec.Struct, frozen=True):
    """Our word for a status, the texts that mean it, and the step and disposition that it is."""

    status: str
    words: tuple[str, ...]
    step: str = ""
    disposition: str = ""


@lru_cache(maxsize=1)
def _statuses() -> tuple[_Status, ...]:
    text = resources.files("suyuan.sheets").joinpath("data/scans.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["scan"], tuple[_Status, ...])


def read_courier_scans(sheet: Sheet, findings: Findings) -> list[DerivedEvent]:
    """The events of a list of scans, in its order."""
    derived = []
    for row in sheet:
        with findings.judging(row, "scan/courier"):
            carrier = row.need("carrier").text
            waybill = waybill_uri(row, findings)
            moment, place, city = read_moment(row), read_place(row), read_city(row, findings)
            cell = row.get("status") or row.need("remark")
            status = _status(cell, findings, ("waybill", carrier, row.text("waybill")))
            others = tuple(
                document for document in read_documents(row, findings) if document.biz_transaction != waybill
            )
            note_personal(row, findings, unknown_too=True)
            event = draft_event(
                "ObjectEvent",
                moment,
                step=_step(row, status),
                disposition=_disposition(row, status),
                action="OBSERVE",
                place=place,
                documents=others,
                epcs=(waybill,),
                extensions=text_extensions({"scanStatus": status.status, "city": city}),
            )
            derived.append(DerivedEvent(event=event, path=row.path, rule=RULE))
    return derived


def _step(row: Row, status: _Status) -> str:
    """The step that a mapping gives to the code, else that of the status."""
    if cell := row.get("step"):
        return read_step(cell).uri
    return CBV_STEP + status.step if status.step else ""


def _disposition(row: Row, status: _Status) -> str | None:
    cell = row.get("disposition")
    if cell is None:
        return cbv.expand("disposition", status.disposition)
    found = cbv.expand("disposition", cell.text)
    if found is None:
        raise wrong("disposition", cell, "This is not a disposition.", "Use a word of the CBV or a URI.")
    return found


def _status(cell: Cell, findings: Findings, subject: tuple[str, ...]) -> _Status:
    """What the status text means; a text that is more than a known word is reported as personal."""
    text = cell.text.casefold()
    if chosen := meanings_of("status").get(text):
        return next(each for each in _statuses() if each.status == chosen)
    found = next((each for each in _statuses() if any(word in text for word in each.words)), None)
    if found is None:
        findings.warn(
            "sheet.scan.status",
            cell.path,
            "The status is not known; the scan is kept with the status 'other'.",
        )
        findings.add_personal(cell, "free_text", subject)
        return _Status(status="other", words=())
    if text not in found.words and text != found.status:
        findings.add_personal(cell, "free_text", subject)
    return found
