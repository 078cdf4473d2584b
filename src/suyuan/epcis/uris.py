"""The identifiers of an event as a whole: change all of them, or list the person documents among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from suyuan.epcis.identifiers import (
    RAW_PREFIX,
    RawPersonDocument,
    are_plain,
    canonical_uri,
    canonical_uris,
    read_person_document,
    transaction_document,
)
from suyuan.epcis.model import BizTransaction, Event, Place, QuantityElement, SourceDestination

_LISTS = ("epc_list", "child_epcs", "input_epc_list", "output_epc_list")
_QUANTITY_LISTS = ("quantity_list", "child_quantity_list", "input_quantity_list", "output_quantity_list")


def map_uris(
    event: Event,
    change: Callable[[str], str],
    change_all: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> Event:
    """The event with ``change`` applied to every identifier in it; ``change_all`` does the same to a whole list.

    EPCs, classes, parent, transformation, documents, sources, destinations and places; not vocabulary words,
    event IDs, sensor devices or extensions. An event that nothing changes is returned as it is.
    """
    changed: dict[str, Any] = {}
    for name in _LISTS:
        uris: tuple[str, ...] = getattr(event, name)
        if uris:
            changed[name] = tuple(change_all(uris) if change_all else [change(uri) for uri in uris])
    for name in _QUANTITY_LISTS:
        elements: tuple[QuantityElement, ...] = getattr(event, name)
        if elements:
            changed[name] = tuple(
                [QuantityElement(change(item.epc_class), item.quantity, item.uom) for item in elements]
            )
    if event.parent_id is not None:
        changed["parent_id"] = change(event.parent_id)
    if event.transformation_id is not None:
        changed["transformation_id"] = change(event.transformation_id)
    for name in ("read_point", "biz_location"):
        place: Place | None = getattr(event, name)
        if place is not None:
            changed[name] = Place(change(place.id), place.extensions)
    if event.biz_transaction_list:
        changed["biz_transaction_list"] = tuple(
            [BizTransaction(change(item.biz_transaction), item.type) for item in event.biz_transaction_list]
        )
    for name in ("source_list", "destination_list"):
        ends: tuple[SourceDestination, ...] = getattr(event, name)
        if ends:
            changed[name] = tuple([SourceDestination(change(item.id), item.type) for item in ends])
    changed = {name: value for name, value in changed.items() if value != getattr(event, name)}
    return msgspec.structs.replace(event, **changed) if changed else event


def canonical_event(event: Event) -> Event:
    """The event with the canonical form of every identifier in it."""
    return map_uris(event, canonical_uri, canonical_uris)


def identifier_uris(event: Event) -> Iterator[str]:
    """Every identifier that ``map_uris`` would be asked to change, save those of bizTransactions."""
    for name in _LISTS:
        yield from getattr(event, name)
    yield from _single_uris(event)


def _single_uris(event: Event) -> Iterator[str]:
    for name in _QUANTITY_LISTS:
        for element in getattr(event, name):
            yield element.epc_class
    if event.parent_id is not None:
        yield event.parent_id
    if event.transformation_id is not None:
        yield event.transformation_id
    for place in (event.read_point, event.biz_location):
        if place is not None:
            yield place.id
    for end in (*event.source_list, *event.destination_list):
        yield end.id


def _rarer_uris(event: Event) -> Iterator[str]:
    """The identifiers of the event without its lists of plain items, which name no person's document."""
    for name in _LISTS:
        uris: tuple[str, ...] = getattr(event, name)
        if uris and not are_plain(uris):
            yield from uris
    yield from _single_uris(event)


def person_documents(event: Event) -> list[RawPersonDocument]:
    """The person documents that the event names, each once, in the order of their first mention.

    Raises ``InputError`` (``epcis.person_document.invalid``) for a raw document URI with a part missing.
    """
    found: dict[str, RawPersonDocument] = {}
    for uri in _rarer_uris(event):
        if uri.startswith(RAW_PREFIX):
            document = read_person_document(uri)
            if document is not None:
                found.setdefault(uri, document)
    for transaction in event.biz_transaction_list:
        document = transaction_document(transaction)
        if document is not None:
            found.setdefault(transaction.biz_transaction, document)
    return list(found.values())
