"""A long EPCIS XML document, read event by event; see ``jsonld_stream`` for the two goes through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from suyuan.epcis import values
from suyuan.epcis.streamed import MAX_EVENT_BYTES, Readable, StreamedEvent, event_too_large
from suyuan.epcis.xml_fields import OWN_NAMESPACES, WRAPPERS
from suyuan.epcis.xml_reader import opened, read_event
from suyuan.errors import SuyuanError, TooLargeError
from suyuan.securexml import Element, XmlStream

_LIST: Final = "EventList"
_HOLDERS: Final = frozenset({"EPCISBody", "resultsBody"})


class Outline(msgspec.Struct, frozen=True):
    """What surrounds the events of a document: fields to be ignored, the list's XPath, how many events it has."""

    ignored: frozenset[str]
    base: str
    ordered: bool
    count: int


class _Held:
    """Bounds the bytes of one event while they are read."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.stream: XmlStream | None = None

    def read(self, size: int, /) -> bytes:
        if self.stream is not None and self.stream.pending > MAX_EVENT_BYTES:
            raise event_too_large("/")
        return self._source.read(size)


def _is_event(element: Element) -> bool:
    """Whether an element is one of the list's: below it, but for the wrappers of 1.x."""
    if element.name in WRAPPERS and element.ns in OWN_NAMESPACES:
        return False
    above = element.parent
    while above is not None and above.name in WRAPPERS and above.ns in OWN_NAMESPACES:
        above = above.parent
    return (
        above is not None
        and above.name == _LIST
        and (above.parent is None or above.parent.name in _HOLDERS or above.parent.parent is None)
    )


def _stream(source: Readable) -> XmlStream:
    held = _Held(source)
    held.stream = XmlStream(held, _is_event)
    return held.stream


def outline(source: Readable) -> Outline:
    """Go through a document for what surrounds its events. Raises as ``read_xml_events`` does for a document."""
    stream = _stream(source)
    count = 0
    for _ in stream:
        count += 1
        if count > values.MAX_EVENTS:
            raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path="/")
    assert stream.root is not None
    listed, ignored = opened(stream.root)
    return Outline(ignored, listed.path, stream.root.ns.endswith(":2"), count)


def events(
    source: Readable, around: Outline, refused: list[SuyuanError] | None = None
) -> Iterator[StreamedEvent]:
    """The events of the document whose outline this is.

    With ``refused`` an event that breaks a rule is left out and its error put there; else it is raised.
    """
    for element, start, data in _stream(source):
        try:
            event = read_event(element, around.ignored, ordered=around.ordered)
        except SuyuanError as error:
            if refused is None:
                raise
            refused.append(error)
        else:
            yield StreamedEvent(event, f"{around.base}/{element.name}[{element.number}]", start, data)
