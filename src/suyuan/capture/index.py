"""From an event's canonical body to its index rows: which things it names, in which role.

Pure and deterministic. The order of the rows is the order of the event's lists; the store sorts them by
key before it writes, so that concurrent captures take their locks in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from suyuan.canon import JSON
from suyuan.capture.links import PERSON_KINDS, document_kind, document_links
from suyuan.gs1.percent import encode_value
from suyuan.gs1.thing import KEY_LENGTH, thing_key
from suyuan.gs1.thing import kind as kind_of

_GTIN_URI = "https://id.gs1.org/01/"
_GTIN_END = len(_GTIN_URI) + 14
_CLASS_BYTES = 6
LOT_ATTRIBUTE = "{urn:epcglobal:cbv:mda}lotNumber"


class Role(IntEnum):
    """How an event names a thing (``thing_event.role``)."""

    SUBJECT = 1
    PARENT = 2
    CHILD = 3
    INPUT = 4
    OUTPUT = 5
    CLASS = 6
    DOCUMENT = 7
    LOT = 8
    LINK = 9
    SHARED = 10


# As plain numbers: a member of an enumeration takes its time to be hashed.
_PARENT, _CHILD, _LOT = int(Role.PARENT), int(Role.CHILD), int(Role.LOT)
_DOCUMENT, _SHARED, _LINK = int(Role.DOCUMENT), int(Role.SHARED), int(Role.LINK)
_EPC_ROLES = (
    ("epcList", int(Role.SUBJECT)),
    ("inputEPCList", int(Role.INPUT)),
    ("outputEPCList", int(Role.OUTPUT)),
)
_CLASS_ROLES = (
    ("quantityList", int(Role.CLASS)),
    ("inputQuantityList", int(Role.INPUT)),
    ("outputQuantityList", int(Role.OUTPUT)),
)
ACTIONS = {"": 0, "ADD": 1, "OBSERVE": 2, "DELETE": 3}
ACTION_NAMES = {number: name for name, number in ACTIONS.items()}
EVENT_TYPES = {
    "ObjectEvent": 1,
    "AggregationEvent": 2,
    "TransactionEvent": 3,
    "TransformationEvent": 4,
    "AssociationEvent": 5,
}
EVENT_TYPE_NAMES = {number: name for name, number in EVENT_TYPES.items()}


class IndexRow(msgspec.Struct, frozen=True, gc=False):
    """One row of ``thing_event`` without what all rows of the event share."""

    key: bytes
    role: int
    other: bytes
    position: int


@lru_cache(maxsize=4096)
def _class_part(stem: str) -> bytes:
    """What the keys of a GTIN's items begin with, or nothing if the text is no GTIN's URI."""
    return thing_key(stem)[:_CLASS_BYTES] if kind_of(stem) == "class" and stem[22:].isdecimal() else b""


def key_of(uri: str) -> bytes:
    """``thing_key``, quicker for items."""
    if uri[_GTIN_END : _GTIN_END + 4] == "/21/":
        part = _class_part(uri[:_GTIN_END])
        if part:
            return part + sha256(uri.encode("utf-8", "surrogatepass")).digest()[: KEY_LENGTH - _CLASS_BYTES]
    return thing_key(uri)


def kind_of_thing(uri: str) -> str:
    """What a URI names, as ``gs1.thing.kind`` says it, quicker for items."""
    if uri[_GTIN_END : _GTIN_END + 4] == "/21/" and _class_part(uri[:_GTIN_END]):
        return "item"
    return kind_of(uri)


def _texts(body: dict[str, Any], field: str) -> list[str]:
    value = body.get(field)
    return value if isinstance(value, list) else []


def _classes(body: dict[str, Any], field: str) -> Iterator[str]:
    for element in body.get(field) or ():
        yield element["epcClass"]


def lot_classes(body: Mapping[str, Any], subjects: Iterable[str]) -> set[str]:
    """Lots (GTIN and lot as a class URI) that the event's ilmd binds these of its subjects or outputs to.

    EPCIS states a lot once for all subjects of a commissioning event; each GTIN among them gets its class.
    """
    ilmd = body.get("ilmd")
    lot = ilmd.get(LOT_ATTRIBUTE) if isinstance(ilmd, dict) else None
    if not isinstance(lot, str) or not lot:
        return set()
    gtins = {uri[:_GTIN_END] for uri in subjects if _is_item(uri)}
    return {f"{gtin}/10/{encode_value(lot)}" for gtin in gtins}


def _names_things(event: dict[str, Any]) -> bool:
    """Whether the event is about particular goods: anything but containers, papers and bare GTINs.

    Such an event is reached from its goods. Its shared documents get the role SHARED, so that no walk ever
    goes from a declaration or a bill of lading down to somebody else's goods.
    """
    for field in ("epcList", "childEPCs", "inputEPCList", "outputEPCList"):
        if any(not document_kind(uri) for uri in _texts(event, field)):
            return True
    parent = event.get("parentID")
    if isinstance(parent, str) and not document_kind(parent):
        return True
    return any(
        "/10/" in uri or not uri.startswith(_GTIN_URI)
        for field in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
        for uri in _classes(event, field)
    )


def _is_item(uri: str) -> bool:
    return uri.startswith(_GTIN_URI) and "/21/" in uri


def documents_of(body: Mapping[str, Any]) -> list[str]:
    """The business documents that the event names, in its order, without repetition."""
    seen: dict[str, None] = {}
    for entry in body.get("bizTransactionList") or ():
        seen[entry["bizTransaction"]] = None
    return list(seen)


def index_rows(body: dict[str, JSON]) -> tuple[list[IndexRow], dict[bytes, str]]:
    """Index rows of one event and the URI of every key in them.

    Raises nothing: whatever a reader accepted has rows. A thing that is named twice in one role has one row.
    """
    event: dict[str, Any] = body
    uris: dict[bytes, str] = {}
    rows: dict[tuple[bytes, int, bytes], IndexRow] = {}

    def add(named: Iterable[str], role: int, other: bytes = b"", at: int = 0) -> None:
        for position, uri in enumerate(named, at):
            key = key_of(uri)
            uris[key] = uri
            if (key, role, other) not in rows:
                rows[key, role, other] = IndexRow(key, role, other, position)

    children = _texts(event, "childEPCs")
    child_classes = list(_classes(event, "childQuantityList"))
    parent_key = b""
    parent = event.get("parentID")
    if isinstance(parent, str):
        parent_key = key_of(parent)
        add((parent,), _PARENT, at=len(children) + len(child_classes))
    for field, role in _EPC_ROLES:
        add(_texts(event, field), role)
    add(children, _CHILD, parent_key)
    add(child_classes, _CHILD, parent_key)
    for field, role in _CLASS_ROLES:
        add(_classes(event, field), role)
    bound = _texts(event, "epcList") or _texts(event, "outputEPCList")
    for uri in sorted(lot_classes(event, bound)):
        add((uri,), _LOT)
    documents = documents_of(event)
    names_things = _names_things(event)
    # An inbound detail lists the parcels of hundreds of people: it is reached from each, and leads to none.
    parcels = [*_texts(event, "epcList"), *children, *([parent] if isinstance(parent, str) else [])]
    parcels = [uri for uri in parcels if not uri.startswith("https:")]
    names_people = any(document_kind(uri) in PERSON_KINDS for uri in (*documents, *parcels))
    for position, uri in enumerate(documents):
        private = document_kind(uri) in PERSON_KINDS
        shared = not private and (names_things or names_people)
        add((uri,), _SHARED if shared else _DOCUMENT, at=position)
    # A container is a thing that leads to papers, a waybill is a paper that may be the subject.
    carriers = [uri for uri in (*_texts(event, "epcList"), parent or "") if not uri.startswith("https:")]
    carriers = [uri for uri in carriers if document_kind(uri) and uri not in documents]
    for source, target in document_links([*documents, *carriers]):
        target_key = key_of(target)
        uris[target_key] = target
        add((source,), _LINK, target_key)
    return list(rows.values()), uris
