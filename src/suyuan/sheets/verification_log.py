"""A verification log imported from another system: which item was checked when, with what result.

Such a check is history that somebody reports; it is never a live scan. Its events have a step of their own
(``urn:suyuan:bizstep:verifying``) and say that they were imported. The city is kept, the person's account,
device, telephone and whatever stands in unknown columns is personal data and in no event.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

from suyuan.epcis.reading import DerivedEvent
from suyuan.sheets.cells import Cell, Sheet
from suyuan.sheets.choices import meanings_of
from suyuan.sheets.documents import Findings, note_personal, read_city, read_documents, read_uri
from suyuan.sheets.drafting import draft_event, text_extensions
from suyuan.sheets.things import read_gtin, read_place
from suyuan.sheets.values import read_moment

RULE: Final = "log.verification/1"
STEP: Final = "urn:suyuan:bizstep:verifying"


@lru_cache(maxsize=1)
def _results() -> dict[str, str]:
    text = resources.files("suyuan.sheets").joinpath("data/results.toml").read_text("utf-8")
    spelled = {
        text.casefold(): result for result, texts in tomllib.loads(text).items() for text in (result, *texts)
    }
    return meanings_of("verification") | spelled


def read_verification_log(sheet: Sheet, findings: Findings) -> list[DerivedEvent]:
    """The events of the log, in its order."""
    derived = []
    for row in sheet:
        with findings.judging(row, "log/verification"):
            gtin_cell = row.get("gtin")
            gtin = read_gtin(gtin_cell) if gtin_cell else ""
            item = read_uri(row.get("thing") or row.need("serial"), findings, gtin)
            moment, place, city = read_moment(row), read_place(row), read_city(row, findings)
            result = _result(row.need("result"), findings)
            note_personal(row, findings, unknown_too=True)
            event = draft_event(
                "ObjectEvent",
                moment,
                step=STEP,
                action="OBSERVE",
                place=place,
                documents=read_documents(row, findings),
                epcs=(item,),
                extensions=text_extensions({"verificationResult": result, "city": city, "imported": "true"}),
            )
            derived.append(DerivedEvent(event=event, path=row.path, rule=RULE))
    return derived


def _result(cell: Cell, findings: Findings) -> str:
    result = _results().get(cell.text.strip().casefold())
    if result is not None:
        return result
    findings.add_personal(cell, "free_text", ("free_text", cell.text))
    findings.warn(
        "sheet.verification.result",
        cell.path,
        "The result is not known; the check is kept with the result 'other'.",
    )
    return "other"
