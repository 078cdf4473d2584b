"""What a cell names: trade items, lots, serials, pallets, containers, places.

A number whose check digit is wrong names nothing and is refused (``sheet.cell.check_digit``). URIs come out in
their canonical form, a Digital Link on id.gs1.org where there is one.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from suyuan.epcis.identifiers import canonical_uri, check_uri
from suyuan.errors import SuyuanError
from suyuan.gs1.check_digits import check_digit, check_digit_valid, container_valid
from suyuan.sheets.cells import Cell, Row
from suyuan.sheets.values import URI_FORM, identifying, wrong

_ELEMENTS = re.compile(r"\((\d{2,4})\)([^()]+)", re.ASCII)
_SERIAL = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}")
_LOCODE = re.compile(r"([A-Z]{2}[A-Z2-9]{3})(?::(\d{4}))?")


def read_gtin(cell: Cell) -> str:
    """A GTIN of 8, 12, 13 or 14 digits, as 14; zeros that a number lost are put back."""
    text = identifying(cell)
    if cell.numeric and len(text) < 8:
        text = text.zfill(8)
    if not (text.isascii() and text.isdigit() and 8 <= len(text) <= 14):
        raise wrong("gtin", cell, "This is not a GTIN of 8 to 14 digits.")
    return _checked(cell, text.zfill(14), "GTIN")


def read_serial(cell: Cell) -> str:
    """A serial or lot number of at most 20 characters of GS1 character set 82."""
    text = identifying(cell)
    if not _SERIAL.fullmatch(text):
        raise wrong("serial", cell, "This is not a serial or lot of 1 to 20 letters, digits and signs.")
    return text


def lot_uri(gtin: str, lot: str) -> str:
    """The URI of a lot."""
    return f"https://id.gs1.org/01/{gtin}/10/{_value(lot)}"


def item_uri(gtin: str, serial: str) -> str:
    """The URI of an item."""
    return f"https://id.gs1.org/01/{gtin}/21/{_value(serial)}"


def read_thing(cell: Cell, gtin: str = "") -> str:
    """The canonical URI of what a cell names.

    A URI, a bracketed element string ``(01)...(21)...``, an SSCC of 18 digits, a container number, or, where
    ``gtin`` is known, a bare serial. A raw person document keeps its raw URI.
    """
    text = identifying(cell)
    elements = _ELEMENTS.findall(text)
    if elements and "".join(f"({ai}){value}" for ai, value in elements) == text:
        text = "https://id.gs1.org/" + "/".join(f"{ai}/{_value(value)}" for ai, value in elements)
    if ":" in text and URI_FORM.fullmatch(text):
        try:
            check_uri(text)
        except SuyuanError:
            raise wrong(
                "check_digit",
                cell,
                "This GS1 identifier breaks its own rules: a check digit or the form of its URN is wrong.",
                "Read the number again from the label or the master data.",
            ) from None
        return canonical_uri(text)
    if len(text) == 18 and text.isascii() and text.isdigit():
        return f"https://id.gs1.org/00/{_checked(cell, text, 'SSCC')}"
    if re.fullmatch(r"[A-Z]{3}[UJZ]\d{7}", text, re.ASCII):
        return read_container(cell)
    if gtin:
        return item_uri(gtin, read_serial(cell))
    raise wrong(
        "identifier",
        cell,
        "This names nothing: it is no URI, no SSCC of 18 digits and no container number.",
        "Write the code as its URI, or add a column GTIN if it is a serial.",
    )


def read_container(cell: Cell) -> str:
    """The URI of a container by its ISO 6346 number."""
    text = identifying(cell).replace(" ", "").replace("-", "").upper()
    if not container_valid(text):
        raise wrong(
            "check_digit",
            cell,
            "This is not a container number with its check digit (ISO 6346).",
            "Read the number again from the container; one character differs.",
        )
    return f"urn:epc:id:bic:{text}"


def read_place(row: Row) -> str:
    """The URI of the row's place, or an empty text.

    From a URI, a GLN, or a UN/LOCODE with or without a customs code (``CNNSA:5165``).
    """
    cell = row.get("place")
    code = row.get("unlocode")
    customs = row.get("customs_code")
    if cell is None:
        if code is None:
            return ""
        cell = code
    text = identifying(cell)
    if ":" in text and URI_FORM.fullmatch(text) and not _LOCODE.fullmatch(text):
        return read_thing(cell)
    if len(text) == 13 and text.isascii() and text.isdigit():
        return f"https://id.gs1.org/414/{_checked(cell, text, 'GLN')}"
    match = _LOCODE.fullmatch(text.replace(" ", "").upper())
    if match is None:
        raise wrong(
            "place",
            cell,
            "This is no place: neither a URI nor a GLN nor a UN/LOCODE.",
            "Write the GLN or the UN/LOCODE (CNNSA), for a bonded zone with the customs code (CNNSA:5165).",
        )
    district = match[2] or (customs.text if customs else "")
    return f"urn:suyuan:place:{match[1]}" + (f":{quote(district, safe='')}" if district else "")


def _value(text: str) -> str:
    return quote(text, safe="!'()*-._~")


def _checked(cell: Cell, digits: str, name: str) -> str:
    if not check_digit_valid(digits):
        raise wrong(
            "check_digit",
            cell,
            f"The check digit of this {name} is {digits[-1]}; {check_digit(digits[:-1])} would be right.",
            "Read the number again from the label; one digit differs.",
        )
    return digits
