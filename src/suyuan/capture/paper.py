"""What kind of paper is this? Recognised by content, then read by the one reader that knows it.

A paper's name never decides; a file called ``.xml`` that holds JSON is read as JSON. Readers are asked in a
fixed order from the most to the least particular.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from suyuan import customs, epcis, sheets
from suyuan.customs.message import check_size
from suyuan.epcis.reading import Reading
from suyuan.errors import InputError, TooLargeError, UnsupportedError

MAX_PAPER_BYTES = 128 * 1024 * 1024


class Reader(msgspec.Struct, frozen=True):
    """One format family: whether bytes are of it, and reading them."""

    recognise: Callable[..., bool]
    read: Callable[..., Reading]


READERS: tuple[Reader, ...] = (
    Reader(epcis.recognise, epcis.read),
    Reader(customs.recognise, customs.read),
    Reader(sheets.recognise, sheets.read),
)


def refuse_large(head: bytes, size: int, name: str = "") -> None:
    """Refuse a paper by its beginning that is larger than its kind may be where it is read whole.

    Raises ``TooLargeError`` (``customs.message.too_large``, ``sheet.too_large``).
    """
    if customs.recognise(head):
        check_size(size)
    elif sheets.recognise(head, name):
        sheets.check_size(head, size)


def read_paper(data: bytes, *, name: str = "") -> Reading:
    """Read one paper of any known kind.

    Raises ``InputError`` (``capture.paper.empty`` or the reader's own codes), ``TooLargeError``
    (``capture.paper.too_large``) or ``UnsupportedError`` (``capture.paper.unknown``).
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise InputError(
            "capture.paper.empty",
            "The paper is empty.",
            remedy="Send the file again; an interrupted export or transfer is the usual cause.",
        )
    if len(data) > MAX_PAPER_BYTES:
        raise TooLargeError(
            "capture.paper.too_large",
            f"The paper has {len(data)} bytes; this door takes {MAX_PAPER_BYTES}.",
            remedy="Split it into several documents.",
        )
    for reader in READERS:
        if reader.recognise(data, name):
            return reader.read(data, name=name)
    raise UnsupportedError(
        "capture.paper.unknown",
        "The paper is of no kind that is read here.",
        remedy="Send EPCIS 2.0 JSON-LD or XML, a customs message (CEB..., INV..., SAS...), an XLSX or CSV sheet with"
        " a header row, or a scan or verification log as JSON or CSV.",
    )
