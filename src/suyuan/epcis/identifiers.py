"""The identifiers in an event: their one canonical form, and the documents of persons among them.

Any absolute URI names a thing here; a firm without a GLN or a company prefix writes its own URN or URL. What
claims to be a GS1 identifier must be one: a wrong check digit or a broken EPC URN is refused, since it would
name a thing that does not exist. Check digits are held for trade items, logistic units, places and parties,
on any host; the other keys number things inside one firm, and published data gets them wrong.

A *person document* (an order, a payment, a waybill, the list of one parcel, a tax bill) is written
``urn:suyuan:raw:<kind>:<issuer>:<number>`` where an identifier may stand. It is replaced by a keyed pseudonym
before anything is hashed or stored; finding it is the business of this module, replacing it the vault's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

from suyuan.epcis.model import BizTransaction
from suyuan.errors import InputError
from suyuan.gs1 import digital_link
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.gs1.epc_urn import urn_to_digital_link

PERSON_KINDS: Final = frozenset(
    {"order", "payment", "waybill", "parcel-list", "parcel-list-draft", "tax-bill"}
)
RAW_PREFIX: Final = "urn:suyuan:raw:"
TYPE_PREFIX: Final = "urn:suyuan:btt:"

# Digits of the key, its check digit the last of them.
_CHECKED: Final = {"00": 18, "01": 14, "414": 13, "417": 13, "8006": 14}
_EPC_SCHEME: Final = re.compile(
    r"urn:epc:(?:id|class|idpat):"
    r"(?:sgtin|lgtin|upui|itip|sscc|sgln|pgln|grai|gdti|sgcn|gsrnp?|gsin|giai|ginc|cpi):"
)
_SIMPLE_SERIAL: Final = re.compile(r"[0-9A-Za-z_\-]{1,20}")
# Items and lots as they are written most often, canonical already; each on a line of its own.
_PLAIN_LINES: Final = re.compile(r"(?:https://id\.gs1\.org/01/[0-9]{14}/(?:21|10)/[0-9A-Za-z_\-]{1,20}\n)+")
_SHORT: Final = 256
_GTIN_START: Final = len("https://id.gs1.org/01/")
_GTIN_END: Final = _GTIN_START + 14
_KEY: Final = re.compile(r"https://id\.gs1\.org/([0-9]{2,4})/([0-9]+)")


@lru_cache(maxsize=2048)
def _key_holds(ai: str, key: str) -> bool:
    length = _CHECKED.get(ai)
    return length is None or check_digit_valid(key[:length])


@lru_cache(maxsize=2048)
def _stem(head: str) -> str | None:
    """The Digital Link up to the serial or lot, of a URN up to its serial; events repeat it for each item."""
    found = digital_link.canonical(head + ".0")
    return found[:-1] if found is not None and found.endswith(("/21/0", "/10/0")) else None


@lru_cache(maxsize=4096)
def canonical_uri(uri: str) -> str:
    """The canonical URI of an identifier: a Digital Link on id.gs1.org, or the text itself. Never raises."""
    if uri.startswith(("urn:epc:id:sgtin:", "urn:epc:class:lgtin:")):
        head, _, serial = uri.rpartition(".")
        stem = _stem(head)
        if stem is not None and _SIMPLE_SERIAL.fullmatch(serial):
            return stem + serial
    if uri.startswith(("urn:epc:", "http", "HTTP")):
        return digital_link.canonical_or_same(uri)
    return uri


def are_plain(uris: Sequence[str]) -> bool:
    """Whether all of these are canonical Digital Links of items or lots without an escape: one look at all of them.

    False says nothing; the single URIs are then looked at one by one.
    """
    if type(uris) is tuple and len(uris) <= _SHORT:
        return _remembered_plain(uris)  # each stage of a capture asks again
    return _plain(uris)


def _plain(uris: Sequence[str]) -> bool:
    try:
        lines = "\n".join(uris) + "\n"
    except TypeError:  # a document may hold anything where a text belongs
        return False
    return _PLAIN_LINES.fullmatch(lines) is not None and lines.count("\n") == len(uris)


@lru_cache(maxsize=64)
def _remembered_plain(uris: tuple[str, ...]) -> bool:
    return _plain(uris)


def canonical_uris(uris: Sequence[str]) -> Sequence[str]:
    """``canonical_uri`` of each of them; the same object where nothing changes in a long list of items."""
    return uris if are_plain(uris) else tuple([canonical_uri(uri) for uri in uris])


def are_sound(uris: Sequence[str]) -> bool:
    """Whether all of these are plain items or lots with the right check digit; False says nothing."""
    return are_plain(uris) and all(
        _key_holds("01", gtin) for gtin in {u[_GTIN_START:_GTIN_END] for u in uris}
    )


@lru_cache(maxsize=4096)
def check_uri(uri: str) -> None:
    """Hold a URI to what it claims to be.

    Raises ``InputError``: ``gs1.check_digit`` for a GS1 key whose check digit is wrong, ``gs1.epc.form`` for
    an EPC URN that breaks its scheme.
    """
    if uri.startswith("urn:"):
        if canonical_uri(uri) is uri and _EPC_SCHEME.match(uri):
            urn_to_digital_link(uri)  # says what is wrong
        return
    key = _KEY.match(canonical_uri(uri))
    if key is not None and not _key_holds(key[1], key[2]):
        raise InputError(
            "gs1.check_digit",
            f"The check digit of the GS1 key in {uri[:120]!r} is wrong.",
            remedy="Read the number again from the label or the master data; one digit differs.",
        )


class RawPersonDocument(msgspec.Struct, frozen=True):
    """A person document named in an event, before its pseudonym: ``uri`` is the text that stands there."""

    kind: str
    issuer: str
    number: str
    uri: str


def read_person_document(uri: str, type_uri: str | None = None) -> RawPersonDocument | None:
    """The person document that a URI names, or None.

    ``type_uri`` is the type of the bizTransaction that carries the URI: one of ``urn:suyuan:btt:<person
    kind>`` makes any identifier that is not yet a pseudonym a person document of that kind, issuer "".
    Raises ``InputError`` (``epcis.person_document.invalid``) for a raw URI with a part missing.
    """
    if uri.startswith(RAW_PREFIX):
        kind, _, rest = uri[len(RAW_PREFIX) :].partition(":")
        issuer, colon, number = rest.partition(":")
        if kind not in PERSON_KINDS or not colon or not number:
            raise InputError(
                "epcis.person_document.invalid",
                "A raw person document names its kind, its issuer and its number.",
                remedy="Write urn:suyuan:raw:KIND:ISSUER:NUMBER; KIND is one of "
                + ", ".join(sorted(PERSON_KINDS))
                + ".",
            )
        return RawPersonDocument(kind, unquote(issuer), unquote(number), uri)
    if type_uri is not None and type_uri.startswith(TYPE_PREFIX):
        kind = type_uri[len(TYPE_PREFIX) :]
        if kind in PERSON_KINDS and not uri.startswith(f"urn:suyuan:{kind}:"):
            return RawPersonDocument(kind, "", uri, uri)
    return None


def transaction_document(transaction: BizTransaction) -> RawPersonDocument | None:
    """The person document that a bizTransaction names, or None."""
    return read_person_document(transaction.biz_transaction, transaction.type)
