"""From an event's canonical body to its index rows: which things it names, in which role.

Pure and deterministic. The order of the rows is the order of the event's lists; the store sorts them by
key before it writes, so that concurrent captures take their locks in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

import msgspec

from suyuan.canon import JSON
from suyuan.capture.links import PERSON_KINDS, document_kind, document_links
from suyuan.gs1.percent import encode_value
from suyuan.gs1.thing import thing_key

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
    gtins = {uri[: len("https://id.gs1.org/01/") + 14] for uri in subjects if _is_item(uri)}
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
        "/10/" in uri or not uri.startswith("https://id.gs1.org/01/")
        for field in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
        for uri in _classes(event, field)
    )


def _is_item(uri: str) -> bool:
    return uri.startswith("https://id.gs1.org/01/") and "/21/" in uri


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

    def add(uri: str, role: Role, other: bytes = b"", position: int = 0) -> bytes:
        key = thing_key(uri)
        uris[key] = uri
        rows.setdefault((key, role, other), IndexRow(key, role, other, position))
        return key

    children = _texts(event, "childEPCs")
    child_classes = list(_classes(event, "childQuantityList"))
    parent_key = b""
    parent = event.get("parentID")
    if isinstance(parent, str):
        parent_key = add(parent, Role.PARENT, position=len(children) + len(child_classes))
    for field, role in (
        ("epcList", Role.SUBJECT),
        ("inputEPCList", Role.INPUT),
        ("outputEPCList", Role.OUTPUT),
    ):
        for position, uri in enumerate(_texts(event, field)):
            add(uri, role, position=position)
    for position, uri in enumerate(children):
        add(uri, Role.CHILD, parent_key, position)
    for position, uri in enumerate(child_classes):
        add(uri, Role.CHILD, parent_key, position)
    for field, role in (
        ("quantityList", Role.CLASS),
        ("inputQuantityList", Role.INPUT),
        ("outputQuantityList", Role.OUTPUT),
    ):
        for position, uri in enumerate(_classes(event, field)):
            add(uri, role, position=position)
    bound = _texts(event, "epcList") or _texts(event, "outputEPCList")
    for uri in sorted(lot_classes(event, bound)):
        add(uri, Role.LOT)
    documents = documents_of(event)
    names_things = _names_things(event)
    # An inbound detail lists the parcels of hundreds of people: it is reached from each, and leads to none.
    parcels = [*_texts(event, "epcList"), *children, *([parent] if isinstance(parent, str) else [])]
    names_people = any(document_kind(uri) in PERSON_KINDS for uri in (*documents, *parcels))
    for position, uri in enumerate(documents):
        private = document_kind(uri) in PERSON_KINDS
        shared = not private and (names_things or names_people)
        add(uri, Role.SHARED if shared else Role.DOCUMENT, position=position)
    # A container is a thing that leads to papers, a waybill is a paper that may be the subject.
    carriers = [uri for uri in (*_texts(event, "epcList"), parent or "") if document_kind(uri)]
    for source, target in document_links([*documents, *(uri for uri in carriers if uri not in documents)]):
        target_key = thing_key(target)
        uris[target_key] = target
        add(source, Role.LINK, target_key)
    return list(rows.values()), uris
