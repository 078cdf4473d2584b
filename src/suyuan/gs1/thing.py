"""Keys and kinds of things: what an index row is filed under.

A key has 16 bytes: six of SHA-256 of the thing's class and ten of SHA-256 of its canonical URI, so that
things that move together (one GTIN, one carrier's parcels, one owner's containers) lie together in an
index. It is a private field: whoever has it can test a guess. Keys are computed from canonical URIs
(``digital_link.canonical_or_same``); two spellings of one thing would have two keys.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final

KEY_LENGTH: Final = 16
_CLASS_BYTES: Final = 6
_THING_BYTES: Final = 10

_GS1 = re.compile(r"https://id\.gs1\.org/([0-9]{2,4})/([^/?#]+)(?:/([0-9]{2,4})/(.*))?", re.DOTALL)
_OBJECT = re.compile(r"(https?://[^/?#]+(?:/[^?#]*)?/obj/[^/?#.]+)(\.[^/?#]+)?", re.IGNORECASE)
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_CONTAINER_STEM: Final = "urn:epc:id:bic:"
_OWNER_LENGTH: Final = 4  # owner code and equipment category of ISO 6346

# How many characters of a key's value say what class it belongs to (the rest is serial or extension).
_CLASS_LENGTHS: Final = {
    "00": 8,
    "253": 13,
    "255": 13,
    "401": 8,
    "402": 8,
    "8003": 14,
    "8004": 8,
    "8017": 8,
    "8018": 8,
}
_KEY_KINDS: Final = {
    "00": "sscc",
    "253": "document",
    "255": "coupon",
    "401": "consignment",
    "402": "shipment",
    "414": "location",
    "417": "party",
    "8003": "asset",
    "8004": "asset",
    "8017": "service_relation",
    "8018": "service_relation",
}
_QUALIFIER_KINDS: Final = {"21": "item", "235": "item", "8011": "item", "10": "lot"}
_SUYUAN: Final = "urn:suyuan:"
# A label is another firm's code of one thing, e.g. that of an inspection body: an alias of the item.
_SUYUAN_KINDS: Final = {"waybill": "parcel", "place": "location", "label": "item"}
_LABEL_STEM: Final = "urn:suyuan:label:"


@lru_cache(maxsize=4096)
def _class_digest(class_key: str) -> bytes:
    return sha256(class_key.encode("utf-8", "surrogatepass")).digest()[:_CLASS_BYTES]


def thing_key(canonical_uri: str) -> bytes:
    """The 16-byte index key of a thing, from its canonical URI."""
    digest = sha256(canonical_uri.encode("utf-8", "surrogatepass")).digest()
    return _class_digest(thing_class(canonical_uri)) + digest[:_THING_BYTES]


def thing_class(uri: str) -> str:
    """The class that a thing is filed with: its GTIN's URI for items and lots, the first eight digits of an
    SSCC, the owner of a container, the issuer of a label, one class for all parcels, else the part of the URI
    that its kind shares.
    """
    if uri.startswith("https://id.gs1.org/"):
        match = _GS1.fullmatch(uri)
        if match is not None:
            ai, value = match[1], match[2]
            return f"https://id.gs1.org/{ai}/{value[: _CLASS_LENGTHS.get(ai)]}"
    if uri.startswith(_CONTAINER_STEM):
        return uri[: len(_CONTAINER_STEM) + _OWNER_LENGTH]
    if uri.startswith("urn:"):
        shared = 4 if uri.startswith(("urn:suyuan:raw:", "urn:epc:", _LABEL_STEM)) else 3
        return ":".join(uri.split(":", shared)[:shared])
    match = _OBJECT.fullmatch(uri)
    if match is not None:
        return match[1]
    match = _ORIGIN.match(uri)
    return match[0] if match is not None else uri.partition(":")[0]


def kind(uri: str) -> str:
    """What a canonical URI names.

    ``item``, ``lot``, ``class``, ``sscc``, ``location``, ``party``, ``asset``, ``container``, ``parcel``,
    ``vessel``, ``consignment``, ``shipment``, ``document`` (GDTI), ``coupon``, ``service_relation``; for
    ``urn:suyuan:<kind>:...`` that kind (``declaration``, ``bonded-list``, ``order`` ...), save that a
    waybill is a ``parcel``, a place a ``location`` and a label (another firm's code of one thing) an ``item``;
    else ``other``.
    """
    if uri.startswith("https://id.gs1.org/"):
        match = _GS1.fullmatch(uri)
        if match is not None:
            if match[1] in {"01", "8006", "8010"}:
                return _QUALIFIER_KINDS.get(match[3] or "", "class")
            return _KEY_KINDS.get(match[1], "other")
    if uri.startswith(_CONTAINER_STEM):
        return "container"
    if uri.startswith("urn:epc:id:imovn:"):
        return "vessel"
    if uri.startswith(_SUYUAN):
        name, _, rest = uri[len(_SUYUAN) :].partition(":")
        if name == "raw":
            name, _, rest = rest.partition(":")
        return _SUYUAN_KINDS.get(name, name) if name and rest else "other"
    match = _OBJECT.fullmatch(uri)
    if match is not None:
        return "item" if match[2] else "class"
    return "other"
