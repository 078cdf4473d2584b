"""Many labels in one ZIP, a file each, written front to back.

Python's own writer keeps about a kilobyte for every member until the end; here the directory waits compressed,
about 30 bytes a label. Over 65,535 members or 4 GiB the ZIP64 records of PKWARE's APPNOTE (4.3.14, 4.3.15,
4.5.3) are used. Every member carries the same date, so that the same labels give the same bytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from suyuan.printing.label import Label
from suyuan.printing.styles import Style
from suyuan.printing.svg import render_svg

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_DATE: Final = (1 << 5) | 1  # 1 January 1980, the format's first day
_STORED: Final = 0
_DEFLATED: Final = 8
_MAX_16: Final = 0xFFFF
_MAX_32: Final = 0xFFFFFFFF
_UNSAFE = re.compile(r"[^0-9A-Za-z-]")


class LabelArchive:
    """Takes labels one by one and returns a ZIP member for each."""

    def __init__(self, draw: Callable[[Label], bytes], suffix: str, *, packed: bool = True) -> None:
        """``draw`` makes a label's file, ``suffix`` ends its name; ``packed`` unless it is compressed already."""
        self._draw = draw
        self._suffix = suffix
        self._method = _DEFLATED if packed else _STORED
        self._packer = zlib.compressobj(6)
        self._packed = bytearray()
        self._position = 0
        self._count = 0

    def add(self, label: Label) -> bytes:
        """Raises what ``layout.place`` raises. Members are named by their place in the order and the serial."""
        data = self._draw(label)
        packed = data
        if self._method == _DEFLATED:
            deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
            packed = deflate.compress(data) + deflate.flush()
        serial = _UNSAFE.sub("_", label.serial)
        name = f"{self._count + 1:07d}{'-' if serial else ''}{serial}{self._suffix}".encode("ascii")
        sizes = (zlib.crc32(data), len(packed), len(data))
        self._note(name, sizes)
        head = _LOCAL.pack(b"PK\x03\x04", 20, 0, self._method, 0, _DATE, *sizes, len(name), 0)
        member = head + name + packed
        self._position += len(member)
        self._count += 1
        return member

    def _note(self, name: bytes, sizes: tuple[int, int, int]) -> None:
        far = self._position >= _MAX_32
        extra = struct.pack("<2HQ", 1, 8, self._position) if far else b""
        version = 45 if far else 20
        offset = _MAX_32 if far else self._position
        entry = _CENTRAL.pack(
            b"PK\x01\x02", version, version, 0, self._method, 0, _DATE,
            *sizes, len(name), len(extra), 0, 0, 0, 0, offset,
        )  # fmt: skip
        self._packed += self._packer.compress(entry + name + extra)

    def finish(self) -> Iterator[bytes]:
        """The directory of the archive."""
        self._packed += self._packer.flush()
        unpacker = zlib.decompressobj()
        start, size = self._position, 0
        for begin in range(0, len(self._packed), 16_384):
            portion = unpacker.decompress(self._packed[begin : begin + 16_384])
            size += len(portion)
            if portion:
                yield portion
        if self._count >= _MAX_16 or start + size >= _MAX_32:
            end64 = start + size
            yield _END64.pack(
                b"PK\x06\x06", _END64.size - 12, 45, 45, 0, 0, self._count, self._count, size, start
            )
            yield _LOCATOR64.pack(b"PK\x06\x07", 0, end64, 1)
        count = min(self._count, _MAX_16)
        yield _END.pack(b"PK\x05\x06", 0, 0, count, count, min(size, _MAX_32), min(start, _MAX_32), 0)


class SvgArchive(LabelArchive):
    """Labels as SVG documents."""

    def __init__(self, style: Style) -> None:
        super().__init__(lambda label: render_svg(label, style).encode(), ".svg")
