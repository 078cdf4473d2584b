"""The documents that a row names, and the personal data that it holds.

Goods documents become plain URIs. Orders, payments, waybills and the lists of single parcels are person
documents: the event names them by their raw URI, which the capture turns into a pseudonym, and the cell is
reported as personal. Columns with names, telephones, addresses, numbers of persons and remarks never reach an
event at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote, unquote

from suyuan.epcis.identifiers import PERSON_KINDS, RAW_PREFIX
from suyuan.epcis.model import BizTransaction
from suyuan.epcis.reading import PersonalField, Warning_
from suyuan.errors import SuyuanError, TooLargeError
from suyuan.sheets.cells import Cell, Row
from suyuan.sheets.faults import MAX_FAULTS, Fault, FaultySheetError, fault_of
from suyuan.sheets.formulas import no_value
from suyuan.sheets.row_checks import row_errors
from suyuan.sheets.things import read_thing
from suyuan.sheets.values import identifying, wrong

CBV_TRANSACTION: Final = "https://ref.gs1.org/cbv/BTT-"

# column -> (kind, CBV word of the type where CBV has one)
_GOODS: Final = {
    "bonded_list": ("bonded-list", ""),
    "gate_pass": ("gate-pass", ""),
    "declaration": ("declaration", ""),
    "declaration_unified": ("declaration-unified", ""),
    "bol": ("bol", "bol"),
    "mrn": ("mrn", ""),
    "quarantine": ("quarantine", ""),
    "certificate": ("certificate", "cert"),
    "recall": ("recall", ""),
    "seal": ("seal", ""),
    "tally": ("tally", ""),
    "packing_list": ("packing-list", ""),
}
_TYPES: Final = {kind: CBV_TRANSACTION + word for kind, word in _GOODS.values() if word}
# column -> (kind, column of the issuer, category of the personal field)
_PERSON: Final = {
    "waybill": ("waybill", "carrier", "waybill_no"),
    "order": ("order", "order_issuer", "order_no"),
    "parcel_list": ("parcel-list", "", "parcel_list_no"),
}
_CATEGORIES: Final = {
    "waybill": "waybill_no",
    "order": "order_no",
    "parcel-list": "parcel_list_no",
    "payment": "payment_no",
    "tax-bill": "payment_no",
}
_PERSONAL_COLUMNS: Final = {
    "name": "name",
    "phone": "phone",
    "address": "address",
    "id_number": "id_number",
    "account": "account",
    "remark": "free_text",
}
_NUMBER = re.compile(r"[^\s\x00-\x1f\x7f]{1,120}")
_CITY = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '\-]){0,29}")


# A sheet that gathers rows is held as its events: so many cases, pallets or lots stand in one list.
MAX_GATHERED = 50_000


def check_gathered(count: int) -> None:
    """Raise ``TooLargeError`` (``sheet.too_large``) where the rows of a list make more events than are held."""
    if count > MAX_GATHERED:
        raise TooLargeError(
            "sheet.too_large",
            f"The list tells of more than {MAX_GATHERED:,} cases, pallets or lots.",
            remedy="Send it in parts, each with whole pallets.",
        )


_FOLLOWS_FORMULAS: Final = frozenset({"sheet.cell.missing", "sheet.cell.zone_missing"})


class Findings:
    """What is collected beside the events while a document is read: personal data and warnings."""

    def __init__(self) -> None:
        self._personal: dict[tuple[str, int, int], PersonalField] = {}
        self._warnings: dict[tuple[str, str], Warning_] = {}
        self._faults: dict[tuple[str, str], Fault] = {}

    @contextmanager
    def judging(self, row: Row, kind: str) -> Iterator[None]:
        """A fault of the row is noted, with those of its other cells, and the next row is read.

        Raises ``FaultySheetError`` when there are too many.
        """
        lost = {cell.path for cell in row.uncomputed}
        self._note(no_value(path) for path in lost)
        try:
            yield
        except SuyuanError as error:
            every = (error, *row_errors(row, kind))
            # What the formulas should have said is missed by others too: that is one fault, not several.
            self._note(
                one for one in every if one.path not in lost and not (lost and one.code in _FOLLOWS_FORMULAS)
            )

    def _note(self, errors: Iterable[SuyuanError]) -> None:
        for one in errors:
            self._faults.setdefault((one.code, one.path), fault_of(one))
            if len(self._faults) >= MAX_FAULTS:
                self.refuse_faults()

    def forget(self) -> None:
        """Let personal data and warnings go; faults stay."""
        self._personal.clear()
        self._warnings.clear()

    def refuse_faults(self) -> None:
        """Raise ``FaultySheetError`` with every fault that was noted, if there is one."""
        if self._faults:
            raise FaultySheetError(tuple(self._faults.values())) from None

    @property
    def personal(self) -> tuple[PersonalField, ...]:
        """The personal fields in order of their bytes, none overlapping another."""
        chosen: list[PersonalField] = []
        for field in sorted(self._personal.values(), key=lambda each: (each.start, -each.end)):
            if field.end == 0 or not chosen or field.start >= chosen[-1].end:
                chosen.append(field)
        return tuple(chosen)

    @property
    def warnings(self) -> tuple[Warning_, ...]:
        """Warnings in the order in which they came up, each place once."""
        return tuple(self._warnings.values())

    def add_personal(self, cell: Cell, category: str, subject: tuple[str, ...]) -> None:
        """Report the cell as personal; the first report of a cell stands."""
        self._personal.setdefault(
            (cell.path, cell.start, cell.end),
            PersonalField(path=cell.path, start=cell.start, end=cell.end, category=category, subject=subject),
        )

    def warn(self, code: str, path: str, reason: str) -> None:
        """Add a warning; the same code at the same place is one."""
        self._warnings.setdefault((code, path), Warning_(code=code, path=path, reason=reason))


def raw_uri(kind: str, issuer: str, number: str) -> str:
    """The raw URI of a person document, as doors take it and capture replaces it."""
    return f"urn:suyuan:raw:{kind}:{quote(issuer, safe='')}:{quote(number, safe='')}"


def goods_uri(kind: str, *parts: str) -> str:
    """The plain URI of a goods document."""
    return f"urn:suyuan:{kind}:" + ":".join(quote(part, safe="") for part in parts)


def transaction(uri: str) -> BizTransaction:
    """The business transaction for a document's URI, typed by its kind where the URI tells it."""
    kind = ""
    if uri.startswith(RAW_PREFIX):
        kind = uri[len(RAW_PREFIX) :].partition(":")[0]
    elif uri.startswith("urn:suyuan:"):
        kind = uri[len("urn:suyuan:") :].partition(":")[0]
    return BizTransaction(
        biz_transaction=uri, type=_TYPES.get(kind) or (f"urn:suyuan:btt:{kind}" if kind else None)
    )


def number_of(cell: Cell) -> str:
    """A document's number: 1 to 120 characters without blanks, not rounded by a spreadsheet."""
    text = identifying(cell)
    if not _NUMBER.fullmatch(text):
        raise wrong("document", cell, "This is not a document number.")
    return text


def waybill_uri(row: Row, findings: Findings) -> str:
    """The raw URI of the row's waybill, its cell reported as personal."""
    cell = row.need("waybill")
    return _person_uri(row, "waybill", cell, findings)


def read_documents(row: Row, findings: Findings) -> tuple[BizTransaction, ...]:
    """Every document that the row, or the head of its sheet, names, in the order of their kinds."""
    uris: dict[str, None] = {}
    for field, (kind, _) in _GOODS.items():
        cell = row.get(field)
        for part in cell.parts() if cell else ():
            uris[goods_uri(kind, number_of(part))] = None
    ledger, item = row.get("ledger_no"), row.get("ledger_item")
    if ledger and item:
        uris[goods_uri("ledger-item", number_of(ledger), number_of(item))] = None
    vessel, voyage = row.get("vessel"), row.get("voyage")
    if vessel and voyage:
        uris[goods_uri("vessel-voyage", "-".join(vessel.text.split()), number_of(voyage))] = None
    for field in _PERSON:
        cell = row.get(field)
        for part in cell.parts() if cell else ():
            uris[_person_uri(row, field, part, findings)] = None
    document = row.get("document")
    for part in document.parts() if document else ():
        uris[read_uri(part, findings)] = None
    return tuple(transaction(uri) for uri in uris)


def read_uri(cell: Cell, findings: Findings, gtin: str = "") -> str:
    """The URI of a thing or document; one that names a person document is reported as personal."""
    uri = read_thing(cell, gtin)
    if uri.startswith(RAW_PREFIX):
        kind, _, rest = uri[len(RAW_PREFIX) :].partition(":")
        issuer, colon, number = rest.partition(":")
        if kind not in PERSON_KINDS or not colon or not number:
            raise wrong(
                "document",
                cell,
                "A raw person document names its kind, its issuer and its number.",
                "Write urn:suyuan:raw:KIND:ISSUER:NUMBER.",
            )
        findings.add_personal(cell, _CATEGORIES[kind], (kind, unquote(issuer), unquote(number)))
    return uri


def note_personal(row: Row, findings: Findings, *, unknown_too: bool) -> None:
    """Report the row's personal columns; with ``unknown_too`` also what stands in columns nobody knows.

    They belong to the row's first person document, else each to itself.
    """
    subject = _subject(row)
    for field, category in _PERSONAL_COLUMNS.items():
        cell = row.get(field)
        if cell:
            findings.add_personal(cell, category, subject or (category, cell.text))
    if unknown_too:
        for cell in row.unknown:
            findings.add_personal(cell, "free_text", subject or ("free_text", cell.text))


def read_city(row: Row, findings: Findings) -> str:
    """The row's city, or nothing where more than the name of a city stands there."""
    cell = row.get("city")
    if cell is None:
        return ""
    if _CITY.fullmatch(cell.text):
        return cell.text
    findings.add_personal(cell, "address", _subject(row) or ("address", cell.text))
    findings.warn(
        "sheet.city.address",
        cell.path,
        "This is more than the name of a city; it is kept as personal data only.",
    )
    return ""


def _subject(row: Row) -> tuple[str, ...]:
    for field, (kind, issuer, _) in _PERSON.items():
        cell = row.get(field)
        if cell:
            number = cell.parts()[0].text if cell.parts() else cell.text
            return (kind, row.text(issuer) if issuer else number[:4], number)
    return ()


def _person_uri(row: Row, field: str, cell: Cell, findings: Findings) -> str:
    kind, issuer_field, category = _PERSON[field]
    number = number_of(cell)
    issuer = row.text(issuer_field) if issuer_field else number[:4]
    findings.add_personal(cell, category, (kind, issuer, number))
    return raw_uri(kind, issuer, number)
