"""Reading an EPCIS document of either syntax as a paper: its events, and the personal data in its bytes.

Numbers of person documents (orders, waybills ...) are personal; their places in the bytes are found again by
their text. Where a number cannot be found as it was read (escaped characters), the whole document is to be
encrypted rather than left open.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from typing import Final

from suyuan.epcis.identifiers import RAW_PREFIX, RawPersonDocument
from suyuan.epcis.jsonld_reader import read_json_places
from suyuan.epcis.model import Event
from suyuan.epcis.reading import DerivedEvent, PersonalField, Reading, Warning_
from suyuan.epcis.uris import identifier_uris, person_documents
from suyuan.epcis.values import within
from suyuan.epcis.xml_reader import read_xml_places
from suyuan.errors import InputError, SuyuanError

CATEGORIES: Final = {
    "order": "order_no",
    "payment": "payment_no",
    "waybill": "waybill_no",
    "parcel-list": "parcel_list_no",
    "parcel-list-draft": "parcel_list_no",
    "tax-bill": "free_text",
}
_XML: Final = re.compile(
    rb"<(?:[A-Za-z_][\w.\-]*:)?(?:EPCIS(?:Query)?Document|"
    rb"(?:Object|Aggregation|Transaction|Transformation|Association|Quantity)Event)[\s>/]"
)
_JSON: Final = re.compile(
    rb'"type"\s*:\s*"(?:EPCIS(?:Query)?Document|(?:Object|Aggregation|Transaction|Transformation|Association)Event)"'
)
_SPACE: Final = b" \t\r\n\xef\xbb\xbf"


def first_of(data: bytes) -> bytes:
    """The first byte that says something."""
    return data[:4096].lstrip(_SPACE)[:1]


def recognise(data: bytes, name: str = "") -> bool:
    """Whether the bytes look like EPCIS, by their content; ``name`` is not asked."""
    first = first_of(data)
    if first == b"<":
        return _XML.search(data[:8192]) is not None
    return first in (b"{", b"[") and _JSON.search(data) is not None


# A run of what an identifier may be written in, and what may stand right before one inside such a run.
_RUN = re.compile(rb"[^\"'<\s]+")
_BEFORE = re.compile(rb"[^\w:%.\-]")


def find_ends(data: bytes, wanted: Container[bytes], longest: int) -> dict[bytes, list[int]]:
    """Where each of these texts ends in the bytes as an identifier of its own; one pass, however many there are."""
    found: dict[bytes, list[int]] = {}
    for run in _RUN.finditer(data):
        start, end = run.span()
        if end == len(data):
            break
        if end - start <= longest and run[0] in wanted:
            found.setdefault(run[0], []).append(end)
        for before in _BEFORE.finditer(data, max(start, end - longest - 1), end):
            text = data[before.end() : end]
            if text in wanted:
                found.setdefault(text, []).append(end)
    return found


def number_length(document: RawPersonDocument) -> int:
    """Bytes of the document's number: the last part of a raw URI, or the whole identifier."""
    text = document.uri.encode("utf-8")
    return len(text.split(b":", 5)[5]) if document.uri.startswith(RAW_PREFIX) else len(text)


def mentions_of(event: Event) -> Iterator[str]:
    """Every place of the event in which a person's document may be named."""
    yield from identifier_uris(event)
    for transaction in event.biz_transaction_list:
        yield transaction.biz_transaction


def _personal(data: bytes, events: list[tuple[Event, str]]) -> tuple[tuple[PersonalField, ...], bool]:
    """The personal fields of all events, and whether a mention of one hides from the search in the bytes."""
    documents: dict[tuple[str, str], tuple[RawPersonDocument, str]] = {}
    for event, place in events:
        try:
            for document in person_documents(event):
                documents.setdefault((document.kind, document.uri), (document, place))
        except SuyuanError as error:
            raise within(error, place, "." if place.startswith("$") else "/") from None
    if not documents:
        return (), False
    mentions = Counter(uri for event, _ in events for uri in mentions_of(event))
    fields: dict[tuple[int, int], PersonalField] = {}
    hidden = False
    wanted = {document.uri.encode("utf-8") for document, _ in documents.values()}
    ends = find_ends(data, wanted, max(map(len, wanted)))
    for document, place in documents.values():
        length = number_length(document)
        ranges = [(end - length, end) for end in ends.get(document.uri.encode("utf-8"), ())]
        hidden = hidden or len(ranges) < mentions[document.uri]
        subject = (document.kind, document.issuer, document.number)
        for start, end in ranges:
            fields[(start, end)] = PersonalField(place, start, end, CATEGORIES[document.kind], subject)
    return tuple(fields[span] for span in sorted(fields)), hidden


def _without_bad_documents(
    events: list[tuple[Event, str]], refused: list[SuyuanError]
) -> list[tuple[Event, str]]:
    """The events whose person documents can be read; the errors of the others are put into ``refused``."""
    kept = []
    for event, place in events:
        try:
            person_documents(event)
        except SuyuanError as error:
            refused.append(within(error, place, "." if place.startswith("$") else "/"))
        else:
            kept.append((event, place))
    return kept


def read(data: bytes, *, name: str = "", refused: list[SuyuanError] | None = None) -> Reading:
    """Read an EPCIS document, JSON-LD or XML, whichever the first character says.

    ``kind`` of the result is ``EPCIS/JSON`` or ``EPCIS/XML``; the events are stated, not derived, so their
    rule is empty. With ``refused`` an event that breaks a rule is left out and its error put there; personal
    data in it cannot be found, so the document is then to be encrypted whole. Raises ``SuyuanError`` only.
    """
    first = first_of(data)
    warnings: tuple[Warning_, ...] = ()
    if first == b"<":
        kind, events = "EPCIS/XML", read_xml_places(data, refused)
    elif first in (b"{", b"["):
        kind = "EPCIS/JSON"
        events, tolerated = read_json_places(data, refused)
        warnings = tuple(
            Warning_("json.key.duplicate", "$", f"{key} appears twice in one object; the last was taken.")
            for key in tolerated
        )
    else:
        raise InputError(
            "epcis.document.unknown",
            "The bytes are neither JSON nor XML.",
            remedy="Send an EPCIS 2.0 document in JSON-LD or XML.",
        )
    if refused is not None:
        events = _without_bad_documents(events, refused)
    personal, hidden = _personal(data, events)
    return Reading(
        kind=kind,
        events=tuple([DerivedEvent(event, place, "") for event, place in events]),
        personal=personal,
        warnings=warnings,
        encrypt_whole=hidden or bool(refused),
    )
