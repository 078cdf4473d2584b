"""What the stream readers of both syntaxes give: one event at a time, with its own bytes.

A stream reader holds one event and a window of the document around it in memory, however long the document is.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from suyuan.epcis.model import Event
from suyuan.errors import TooLargeError

BLOCK: Final = 256 * 1024
MAX_EVENT_BYTES: Final = 32 * 1024 * 1024


class Readable(Protocol):
    """Where bytes come from: a file, or anything that is read like one."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class StreamedEvent(msgspec.Struct, frozen=True):
    """An event of a long document: its path, where its bytes begin in the document, and those bytes."""

    event: Event
    path: str
    start: int
    data: bytes

    @property
    def end(self) -> int:
        """Where its bytes end."""
        return self.start + len(self.data)


def event_too_large(path: str) -> TooLargeError:
    """The error for an event that is longer than one event may be in a streamed document."""
    return TooLargeError(
        "epcis.event.too_large",
        f"One event has more than {MAX_EVENT_BYTES // 1024 // 1024} MiB.",
        path=path,
        remedy="Split the event: an event about so many items can be sent as several.",
    )
