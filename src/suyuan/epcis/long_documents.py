"""A long EPCIS document as a paper, in batches: what ``reader.read`` is for documents that fit into memory.

A document is gone through three times. The outline says what surrounds the events, the survey reads every event
and every personal datum without keeping any of them, so that a document is refused before anything of it is
stored; the third go gives the batches. Between the goes only digests of the persons' documents are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeAlias

import msgspec

from suyuan.epcis import jsonld_stream, xml_stream
from suyuan.epcis.identifiers import RawPersonDocument, read_person_document
from suyuan.epcis.reader import CATEGORIES, find_ends, first_of, mentions_of, number_length
from suyuan.epcis.reading import DerivedEvent, PersonalField, Warning_
from suyuan.epcis.streamed import StreamedEvent
from suyuan.epcis.uris import person_documents
from suyuan.epcis.values import within
from suyuan.errors import InputError, SuyuanError
from suyuan.securexml import is_utf8

BATCH_EVENTS: Final = 500
BATCH_BYTES: Final = 512 * 1024
HEAD_BYTES: Final = 64 * 1024
# With so many faulty events the document is not one that was meant to be read.
MAX_REFUSED: Final = 1000

Open: TypeAlias = Callable[[], BinaryIO]
"""Opens the document anew, from its start; each reader closes what it opened."""

_Outline: TypeAlias = "jsonld_stream.Outline | xml_stream.Outline"
_JSON_DOCUMENT: Final = re.compile(rb'"type"\s*:\s*"EPCIS(?:Query)?Document"')
_XML_DOCUMENT: Final = re.compile(rb"<(?:[A-Za-z_][\w.\-]*:)?EPCIS(?:Query)?Document[\s>/]")
_JSON_EVENT: Final = re.compile(
    rb'"type"\s*:\s*"(?:Object|Aggregation|Transaction|Transformation|Association)Event"'
)


class Survey(msgspec.Struct, frozen=True):
    """What is known of a document that was read through. ``wanted`` are digests of what names persons' documents."""

    kind: str
    outline: _Outline
    warnings: tuple[Warning_, ...]
    refused: tuple[SuyuanError, ...]
    wanted: frozenset[int]
    longest: int
    encrypt_whole: bool


class Batch(msgspec.Struct, frozen=True):
    """Some events, the bytes of the document from the batch before up to their end, the personal data in them.

    The batches' bytes, one after the other, are the document.
    """

    events: tuple[DerivedEvent, ...]
    start: int
    data: bytes
    personal: tuple[PersonalField, ...]


def is_long_document(head: bytes) -> bool:
    """Whether a document that begins so can be read in batches: a list of events in JSON-LD, or XML in UTF-8."""
    first = first_of(head)
    if first == b"<":
        return is_utf8(head) and _XML_DOCUMENT.search(head[:8192]) is not None
    if first == b"[":
        return _JSON_EVENT.search(head) is not None
    return first == b"{" and _JSON_DOCUMENT.search(head) is not None


def survey(open_: Open, *, proceed: bool = False) -> Survey | None:
    """Read a document through. None for one that holds a single event outside of a list.

    With ``proceed`` events that break a rule are told in ``refused`` and will be left out; else the first one is
    raised, as ``SuyuanError``.
    """
    with open_() as source:
        json = first_of(source.read(HEAD_BYTES)) != b"<"
    with open_() as source:
        around: _Outline = jsonld_stream.outline(source) if json else xml_stream.outline(source)
    if json and around.base.endswith(".event"):
        return None
    refused: list[SuyuanError] | None = [] if proceed else None
    wanted: set[int] = set()
    longest, hidden = 0, False
    for events, _, data in _pieces(open_, around, refused):
        documents = _documents(events, refused)
        if refused and len(refused) > MAX_REFUSED:
            raise refused[0]
        if not documents:
            continue
        uris = {uri.encode() for uri in documents}
        wanted |= {hash(uri) for uri in uris}
        longest = max(longest, *map(len, uris))
        ends = find_ends(data, uris, longest)
        mentions = Counter(uri for event in events for uri in mentions_of(event.event))
        hidden = hidden or any(len(ends.get(uri.encode(), ())) < mentions[uri] for uri in documents)
    tolerated = around.tolerated if isinstance(around, jsonld_stream.Outline) else ()
    return Survey(
        "EPCIS/JSON" if json else "EPCIS/XML",
        around,
        tuple(
            Warning_("json.key.duplicate", "$", f"{key} appears twice in one object; the last was taken.")
            for key in tolerated
        ),
        tuple(refused or ()),
        frozenset(wanted),
        longest,
        hidden or bool(refused),
    )


def batches(open_: Open, found: Survey) -> Iterator[Batch]:
    """The document that was surveyed, in batches; events that the survey refused are left out."""
    refused: list[SuyuanError] | None = [] if found.refused else None
    for events, start, data in _pieces(open_, found.outline, refused):
        documents = _documents(events, refused)
        personal = () if found.encrypt_whole else _personal(data, start, documents, found)
        yield Batch(tuple([DerivedEvent(e.event, e.path, "") for e in events]), start, data, personal)


def _pieces(
    open_: Open, around: _Outline, refused: list[SuyuanError] | None
) -> Iterator[tuple[list[StreamedEvent], int, bytes]]:
    """Events in batches, each with the bytes since the batch before; the last one reaches to the end."""
    with open_() as source, open_() as raw:
        stream = (
            jsonld_stream.events(source, around, refused)
            if isinstance(around, jsonld_stream.Outline)
            else xml_stream.events(source, around, refused)
        )
        gathered: list[StreamedEvent] = []
        size = start = 0
        for event in stream:
            gathered.append(event)
            size += len(event.data)
            if size >= BATCH_BYTES or len(gathered) >= BATCH_EVENTS:
                yield gathered, start, raw.read(event.end - start)
                start, size, gathered = event.end, 0, []
        if gathered:
            yield gathered, start, raw.read(gathered[-1].end - start)
            start = gathered[-1].end
        while rest := raw.read(BATCH_BYTES):
            yield [], start, rest
            start += len(rest)


def _documents(
    events: list[StreamedEvent], refused: list[SuyuanError] | None
) -> dict[str, tuple[RawPersonDocument, str]]:
    """The persons' documents that the events name; an event whose documents cannot be read is refused."""
    found: dict[str, tuple[RawPersonDocument, str]] = {}
    for event in list(events):
        try:
            named = person_documents(event.event)
        except SuyuanError as error:
            error = within(error, event.path, "." if event.path.startswith("$") else "/")
            if refused is None:
                raise error from None
            refused.append(error)
            events.remove(event)
        else:
            for document in named:
                found.setdefault(document.uri, (document, event.path))
    return found


class _Known:
    """The texts that name a person's document anywhere in the paper."""

    def __init__(self, here: set[bytes], anywhere: frozenset[int]) -> None:
        self._here, self._anywhere = here, anywhere

    def __contains__(self, text: object) -> bool:
        return text in self._here or hash(text) in self._anywhere


def _personal(
    data: bytes, start: int, documents: dict[str, tuple[RawPersonDocument, str]], found: Survey
) -> tuple[PersonalField, ...]:
    if not found.wanted:
        return ()
    known = _Known({uri.encode() for uri in documents}, found.wanted)
    fields: dict[tuple[int, int], PersonalField] = {}
    for text, ends in find_ends(data, known, found.longest).items():
        uri = text.decode()
        document, path = documents.get(uri) or (_elsewhere(uri), "")
        length = number_length(document) if document else len(text)
        category = CATEGORIES[document.kind] if document else "free_text"
        subject = (document.kind, document.issuer, document.number) if document else ()
        for end in ends:
            fields[end - length, end] = PersonalField(
                path, start + end - length, start + end, category, subject
            )
    return tuple(fields[span] for span in sorted(fields))


def _elsewhere(uri: str) -> RawPersonDocument | None:
    """The document of a text that another batch told to be one; its kind may be known there only."""
    try:
        return read_person_document(uri)
    except InputError:
        return None
