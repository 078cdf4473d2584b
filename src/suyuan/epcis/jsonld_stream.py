"""A long EPCIS JSON-LD document, read event by event.

What surrounds the events (context, type, version) may stand before or behind them, so the document is gone
through once for its surroundings (``outline``) and again for its events (``events``). Both accept and refuse what
``jsonld_reader`` does; only a single event of more than ``MAX_EVENT_BYTES`` is refused here and not there.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Generator, Iterator
from typing import Any, Final

import msgspec

from suyuan.epcis import values
from suyuan.epcis.jsonld_names import Duplicates, Names, check_text, decoder, malformed, not_utf8
from suyuan.epcis.jsonld_reader import events_of, read_event
from suyuan.epcis.streamed import BLOCK, MAX_EVENT_BYTES, Readable, StreamedEvent, event_too_large
from suyuan.errors import InputError, SuyuanError, TooLargeError

_WHITE: Final = " \t\r\n"
_BODY: Final = ("epcisBody",)
_RESULTS: Final = (*_BODY, "queryResults")
_HOLDERS: Final = frozenset({_BODY, _RESULTS, (*_RESULTS, "resultsBody")})
_LISTS: Final = frozenset({(*_BODY, "eventList"), (*_RESULTS, "resultsBody", "eventList")})
# An error so near to the end of the window may come of its end.
_NEAR: Final = 64


class Outline(msgspec.Struct, frozen=True):
    """What surrounds the events of a document: the names in force, the path of the list, how many events it has."""

    names: Names
    base: str
    count: int
    tolerated: tuple[str, ...]


class _Raw(msgspec.Struct, frozen=True):
    value: object
    start: int
    data: bytes


class _Window:
    """A part of the text, and where it stands in the bytes and lines of the whole."""

    def __init__(self, source: Readable, duplicates: Duplicates) -> None:
        self._source = source
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._scan = decoder(duplicates).scan_once  # type: ignore[attr-defined]
        self._text = ""
        self._at = 0
        self._mark = 0  # a place in the window whose place in the bytes is known
        self._mark_bytes = 0
        self._lines = 0
        self._taken = 0
        self._over = False
        self._fill(BLOCK)
        if self._text.startswith("\ufeff"):
            self._at = 1

    def _fill(self, size: int) -> bool:
        """Read on; false at the end of the document. What is behind is let go."""
        if self._over:
            return False
        data = self._source.read(size)
        self._offset(self._at)
        self._lines += self._text.count("\n", 0, self._at)
        try:
            more = self._decode.decode(data, not data)
        except UnicodeDecodeError as error:
            raise not_utf8(self._taken + error.start) from None
        self._taken += len(data)
        self._text = self._text[self._at :] + more
        self._at = self._mark = 0
        self._over = not data
        return bool(data)

    def _offset(self, place: int) -> int:
        """Where a place of the window stands in the bytes; places are asked for in their order."""
        between = self._text[self._mark : place]
        self._mark_bytes += len(between) if between.isascii() else len(between.encode())
        self._mark = place
        return self._mark_bytes

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _WHITE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._fill(BLOCK):
                return ""

    def take(self, expected: str) -> str:
        """The next character, which must be one of ``expected``."""
        found = self.peek()
        if not found or found not in expected:
            raise self._wrong(f"Expecting {' or '.join(expected)}", self._at)
        self._at += 1
        return found

    def value(self, path: str = "$") -> tuple[object, int, int]:
        """The next value, whatever it is, and where its text begins and ends in the window."""
        self.peek()
        while True:
            try:
                found, end = self._scan(self._text, self._at)
            except StopIteration as stop:
                where, reason = int(stop.value), "Expecting value"
            except json.JSONDecodeError as error:
                where, reason = error.pos, error.msg
            except RecursionError:
                raise TooLargeError("json.depth.exceeded", "Objects and lists are nested too deep.") from None
            else:
                if end < len(self._text) or not self._fill(BLOCK):
                    start, self._at = self._at, end
                    check_text(self._text[start:end], found)
                    return found, start, end
                continue
            if where < len(self._text) - _NEAR and not reason.startswith("Unterminated"):
                raise self._wrong(reason, where)
            pending = len(self._text) - self._at
            if pending > MAX_EVENT_BYTES:
                raise event_too_large(path)
            behind = where - self._at  # the window moves when it is filled
            if not self._fill(max(BLOCK, pending)):
                raise self._wrong(reason, min(self._at + behind, len(self._text)))

    def raw(self, path: str) -> _Raw:
        """The next value with its bytes."""
        found, start, end = self.value(path)
        return _Raw(found, self._offset(start), self._text[start:end].encode())

    def finish(self) -> None:
        """Nothing may follow."""
        if self.peek():
            raise self._wrong("Extra data", self._at)

    def _wrong(self, reason: str, place: int) -> InputError:
        line = self._lines + self._text.count("\n", 0, place) + 1
        return malformed(reason, line, place - self._text.rfind("\n", 0, place))


class _Document:
    """The grammar of the surroundings: yields the events of the one list and gathers everything else."""

    def __init__(self, source: Readable) -> None:
        self.duplicates = Duplicates()
        self.around: object = None
        self.count = 0
        self._lists = 0
        self._window = _Window(source, self.duplicates)

    def read(self) -> Iterator[_Raw]:
        """The values in the list of events, in their order."""
        window = self._window
        first = window.peek()
        if first == "[":
            yield from self._list("$")
            self.around = []
        elif first == "{":
            self.around = yield from self._object(())
        else:
            self.around = window.value()[0]
        window.finish()

    def _object(self, path: tuple[str, ...]) -> Generator[_Raw, None, dict[str, Any]]:
        window = self._window
        window.take("{")
        pairs: list[tuple[str, Any]] = []
        if window.peek() == "}":
            window.take("}")
            return {}
        while True:
            if window.peek() != '"':
                window.take('"')
            key = str(window.value()[0])
            window.take(":")
            inner, opening = (*path, key), window.peek()
            if opening == "{" and inner in _HOLDERS:
                pairs.append((key, (yield from self._object(inner))))
            elif opening == "[" and inner in _LISTS:
                yield from self._list("$." + ".".join(inner))
                pairs.append((key, []))
            else:
                pairs.append((key, window.value()[0]))
            if window.take(",}") == "}":
                return self.duplicates.join(pairs)

    def _list(self, base: str) -> Iterator[_Raw]:
        self._lists += 1
        if self._lists > 1:
            raise InputError("epcis.document.invalid", "The document holds two lists of events.", path=base)
        window = self._window
        window.take("[")
        if window.peek() == "]":
            window.take("]")
            return
        while True:
            yield window.raw(f"{base}[{self.count}]")
            self.count += 1
            if window.take(",]") == "]":
                return


def outline(source: Readable) -> Outline:
    """Go through a document for what surrounds its events. Raises as ``read_json`` does for a document."""
    document = _Document(source)
    for _ in document.read():
        if document.count >= values.MAX_EVENTS:
            raise TooLargeError("epcis.events.exceeded", f"More than {values.MAX_EVENTS} events.", path="$")
    names, base = events_of(document.around)
    return Outline(names, base, document.count, tuple(document.duplicates.tolerated))


def events(
    source: Readable, around: Outline, refused: list[SuyuanError] | None = None
) -> Iterator[StreamedEvent]:
    """The events of the document whose outline this is.

    With ``refused`` an event that breaks a rule is left out and its error put there; else it is raised.
    """
    for number, raw in enumerate(_Document(source).read()):
        place = f"{around.base}[{number}]"
        try:
            event = read_event(raw.value, around.names)
        except SuyuanError as error:
            if refused is None:
                raise values.within(error, place) from None
            refused.append(values.within(error, place))
        else:
            yield StreamedEvent(event, place, raw.start, raw.data)
