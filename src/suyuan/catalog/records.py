"""A product and a place, and what makes them well-formed."""

from __future__ import annotations

import re

import msgspec

from suyuan.errors import InputError
from suyuan.gs1.canonical_form import canonical_or_same
from suyuan.gs1.check_digits import check_digit, check_digit_valid

_MAX_TEXT = 500
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNLOCODE = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")
_CUSTOMS_DISTRICT = re.compile(r"[0-9]{4}")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s\"<>\\^`{|}]{1,500}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A trade item. Empty text means unknown.

    ``gtin`` has 14 digits. ``producer``, ``importer``, ``agent``, ``distributor`` and ``seller`` are IDs of
    parties, or names of firms that are none. ``owner_party`` is the party that may issue codes for the GTIN.
    ``origin_country`` is ISO 3166-1 alpha-2, ``language_original`` the BCP 47 tag of ``name_original``.
    """

    gtin: str
    name_zh: str = ""
    name_en: str = ""
    name_original: str = ""
    language_original: str = ""
    brand_zh: str = ""
    brand_en: str = ""
    producer: str = ""
    importer: str = ""
    agent: str = ""
    distributor: str = ""
    seller: str = ""
    owner_party: str = ""
    origin_country: str = ""
    net_content: str = ""
    category: str = ""
    hs_code: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place. Empty text means unknown.

    ``uri`` is a GLN as Digital Link (``https://id.gs1.org/414/...``) or ``urn:suyuan:place:<UN/LOCODE>``,
    with ``:<customs district>`` where that is meant. ``customs_code`` has four digits. ``warehouse`` marks a
    bonded warehouse.
    """

    uri: str
    name_zh: str = ""
    name_en: str = ""
    city_zh: str = ""
    city_en: str = ""
    country: str = ""
    unlocode: str = ""
    customs_code: str = ""
    warehouse: bool = False


def _check_texts(record: Product | Place) -> None:
    for field in record.__struct_fields__:
        value = getattr(record, field)
        if isinstance(value, str) and (len(value) > _MAX_TEXT or "\x00" in value):
            raise InputError(
                "catalog.text", f"A text has at most {_MAX_TEXT} characters and no NUL.", path=field
            )


def _check_form(value: str, form: re.Pattern[str], field: str, what: str) -> None:
    if value and not form.fullmatch(value):
        raise InputError(f"catalog.{field}", f"{value[:40]!r} is no {what}.", path=field)


def normal_gtin(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits as 14 digits. Raises ``InputError`` (``catalog.gtin.*``)."""
    gtin = text.strip()
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", gtin):
        raise InputError(
            "catalog.gtin.form",
            f"{gtin[:40]!r} is no GTIN: one has 8, 12, 13 or 14 digits.",
            path="gtin",
            remedy="A spreadsheet may have turned it into a number; format the column as text."
            if re.search(r"[.eE]", gtin)
            else "Copy all digits below the bar code.",
        )
    if not check_digit_valid(gtin):
        raise InputError(
            "catalog.gtin.check",
            f"The check digit of the GTIN {gtin} should be {check_digit(gtin[:-1])}.",
            path="gtin",
            remedy="One of its digits is mistyped; copy it from the bar code.",
        )
    return gtin.zfill(14)


def check_product(product: Product) -> Product:
    """The product with its GTIN in 14 digits. Raises ``InputError`` (``catalog.*``), the field as path."""
    gtin = normal_gtin(product.gtin)
    _check_texts(product)
    _check_form(product.origin_country, _COUNTRY, "origin_country", "country code such as NL")
    _check_form(product.language_original, _LANGUAGE, "language_original", "language tag such as nl")
    if not (product.name_zh or product.name_en or product.name_original):
        raise InputError("catalog.name", "A product needs a name in some language.", path="name_zh")
    return msgspec.structs.replace(product, gtin=gtin)


def check_place(place: Place) -> Place:
    """The place with its URI in canonical form. Raises ``InputError`` (``catalog.*``), the field as path."""
    uri = canonical_or_same(place.uri.strip())
    if not _URI.fullmatch(uri):
        raise InputError(
            "catalog.uri",
            f"{uri[:60]!r} is no URI of a place.",
            path="uri",
            remedy="Write a GLN as https://id.gs1.org/414/<GLN>, others as urn:suyuan:place:<UN/LOCODE>.",
        )
    gln = re.fullmatch(r"https://id\.gs1\.org/41[47]/([0-9]{13})(?:/.*)?", uri)
    if gln and not check_digit_valid(gln[1]):
        raise InputError(
            "catalog.gln.check",
            f"The check digit of the GLN {gln[1]} should be {check_digit(gln[1][:-1])}.",
            path="uri",
        )
    _check_texts(place)
    _check_form(place.country, _COUNTRY, "country", "country code such as CN")
    _check_form(place.unlocode, _UNLOCODE, "unlocode", "UN/LOCODE such as CNNSA")
    _check_form(place.customs_code, _CUSTOMS_DISTRICT, "customs_code", "customs district of four digits")
    if not (place.name_zh or place.name_en):
        raise InputError("catalog.name", "A place needs a name in Chinese or English.", path="name_zh")
    return msgspec.structs.replace(place, uri=uri)
