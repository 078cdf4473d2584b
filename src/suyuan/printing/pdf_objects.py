"""A PDF written front to back: objects leave as soon as they are made, only their offsets stay.

ISO 32000-1 lets objects stand in any order, so what is known last (fonts, the page tree's root) is numbered
first and written last. Kept per page are 16 bytes of offsets and the number of one page in 256; the common
writers keep every page until the end. The same pages give the same bytes: nothing here asks for the time.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from typing import Final

CATALOG: Final = 1
ROOT: Final = 2
RESOURCES: Final = 3
INFO: Final = 4
_PAGES_PER_NODE: Final = 256
_XREF_PORTION: Final = 4096


class PdfWriter:
    """Numbers objects, remembers where they went and builds the page tree in two levels."""

    def __init__(self, width: float, height: float) -> None:
        """Pages of ``width`` x ``height`` points."""
        self._offsets = array("Q", [0] * (INFO + 1))
        self._position = 0
        self._media_box = f"[0 0 {width:.3f} {height:.3f}]"
        self._kids: list[int] = []
        self._node = 0
        self._nodes = array("L")
        self._counts = array("L")

    def begin(self) -> bytes:
        """The file's first bytes; the second line tells transfer programs that the file is binary."""
        return self._moved(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        """A number for an object that is written later."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def object(self, number: int, body: str | bytes) -> bytes:
        """One object under a reserved number."""
        self._offsets[number] = self._position
        raw = body.encode("latin-1") if isinstance(body, str) else body
        return self._moved(b"%d 0 obj\n%b\nendobj\n" % (number, raw))

    def stream(self, number: int, data: bytes, entries: str = "") -> bytes:
        """A compressed stream under a reserved number."""
        packed = zlib.compress(data, 6)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries}>>\nstream\n".encode()
        return self.object(number, head + packed + b"\nendstream")

    def page(self, content: bytes) -> bytes:
        """A page and its content."""
        done = b""
        if not self._kids:
            self._node = self.reserve()
        content_number, page_number = self.reserve(), self.reserve()
        done += self.stream(content_number, content)
        done += self.object(
            page_number,
            f"<< /Type /Page /Parent {self._node} 0 R /MediaBox {self._media_box}"
            f" /Resources {RESOURCES} 0 R /Contents {content_number} 0 R >>",
        )
        self._kids.append(page_number)
        if len(self._kids) == _PAGES_PER_NODE:
            done += self._close_node()
        return done

    def end(self, title: bytes) -> Iterator[bytes]:
        """The page tree, the catalogue and the cross-reference table; ``title`` is a PDF string."""
        if self._kids:
            yield self._close_node()
        kids = " ".join(f"{node} 0 R" for node in self._nodes)
        yield self.object(ROOT, f"<< /Type /Pages /Count {sum(self._counts)} /Kids [{kids}] >>")
        # Labels must keep their size: ask viewers not to scale pages to the paper.
        preferences = "/ViewerPreferences << /PrintScaling /None >>"
        yield self.object(CATALOG, f"<< /Type /Catalog /Pages {ROOT} 0 R {preferences} >>")
        yield self.object(INFO, b"<< /Title %b /Producer (Suyuan) >>" % title)
        table = self._position
        yield f"xref\n0 {len(self._offsets)}\n0000000000 65535 f \n".encode()
        for start in range(1, len(self._offsets), _XREF_PORTION):
            portion = self._offsets[start : start + _XREF_PORTION]
            yield "".join(f"{offset:010d} 00000 n \n" for offset in portion).encode()
        yield (
            f"trailer\n<< /Size {len(self._offsets)} /Root {CATALOG} 0 R /Info {INFO} 0 R >>\n"
            f"startxref\n{table}\n%%EOF\n"
        ).encode()

    def _close_node(self) -> bytes:
        kids = " ".join(f"{page} 0 R" for page in self._kids)
        self._nodes.append(self._node)
        self._counts.append(len(self._kids))
        body = f"<< /Type /Pages /Parent {ROOT} 0 R /Count {len(self._kids)} /Kids [{kids}] >>"
        self._kids = []
        return self.object(self._node, body)

    def _moved(self, data: bytes) -> bytes:
        self._position += len(data)
        return data


def literal(text: bytes) -> bytes:
    """A PDF string literal."""
    return b"(" + text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"
