"""One door to all formats, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from suyuan.errors import InputError, UnsupportedError
from suyuan.printing.archive import SvgArchive
from suyuan.printing.label import Label
from suyuan.printing.pdf import PdfPrinter
from suyuan.printing.styles import Style, get_style
from suyuan.printing.symbol import PRESS_DPI
from suyuan.printing.table import CsvPrinter

DEFAULT_DPI: Final = 203
_CHUNK: Final = 64 * 1024
_PROGRESS_EVERY: Final = 1000


class Format(msgspec.Struct, frozen=True):
    """How a format travels; ``dpi`` is its usual resolution where it has one."""

    media_type: str
    suffix: str
    dpi: int = 0


FORMATS: Final = MappingProxyType(
    {
        "csv": Format("text/csv; charset=utf-8", ".csv"),
        "pdf": Format("application/pdf", ".pdf"),
        "svg": Format("application/zip", ".svg.zip"),
        "zpl": Format("application/x-zpl; charset=us-ascii", ".zpl", DEFAULT_DPI),
        "png": Format("application/zip", ".png.zip", PRESS_DPI),
        "tiff": Format("application/zip", ".tiff.zip", PRESS_DPI),
    }
)


class Printer(Protocol):
    """Turns labels into bytes. Bytes are to be joined in order; ``finish`` is called once, at the end."""

    def add(self, label: Label) -> bytes:
        """What is ready after this label; may be nothing yet."""

    def finish(self) -> Iterator[bytes]:
        """The rest."""


def resolution(format: str, dpi: int = 0) -> int | None:  # noqa: A002
    """The dots an inch that a format is drawn at if ``dpi`` is asked for, 0 being its usual one; None has none."""
    found = FORMATS.get(format)
    if found is None or not found.dpi:
        return None
    return dpi or found.dpi


def open_printer(format: str, style: Style, dpi: int = 0) -> Printer:  # noqa: A002
    """A printer for one of ``FORMATS``; for callers that get their labels bit by bit (asynchronously).

    ``dpi`` matters to ZPL and images alone; 0 is the format's usual one. Raises ``UnsupportedError``
    (``printing.format.unknown``) or ``InputError`` (``printing.dpi``).
    """
    dots = resolution(format, dpi)
    if format == "pdf":
        return PdfPrinter(style)
    if format == "svg":
        return SvgArchive(style)
    # What draws dots brings an imaging library, which a server that prints nothing goes without.
    if format == "zpl" and dots:
        from suyuan.printing.zpl import ZplPrinter

        return ZplPrinter(style, dots)
    if format in ("png", "tiff") and dots:
        from suyuan.printing.images import ImageArchive

        return ImageArchive(style, format, dots)
    if format == "csv":
        return CsvPrinter()
    raise UnsupportedError(
        "printing.format.unknown",
        f"There is no label format {format[:20]!r}.",
        path="format",
        remedy=f"Take one of {', '.join(FORMATS)}.",
    )


def render(
    format: str,  # noqa: A002
    labels: Iterable[Label],
    style: Style | str,
    dpi: int = 0,
    *,
    progress: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """``labels`` in one of ``FORMATS`` as chunks of about 64 KiB; memory does not grow with their number.

    The names, the resolution and the first label are checked before this returns; a later label that cannot
    be printed raises from the iterator. ``progress`` is told the number of labels done, every 1,000 and at
    the end. Raises ``InputError``, ``NotFoundError``, ``RefusedError`` or ``UnsupportedError``
    (``printing.*``).
    """
    printer = open_printer(format, get_style(style) if isinstance(style, str) else style, dpi)
    rest = iter(labels)
    first = next(rest, None)
    if first is None:
        raise InputError("printing.labels.empty", "There are no labels to print.", path="labels")
    return _chunks(printer, printer.add(first), rest, progress)


def _chunks(
    printer: Printer, start: bytes, labels: Iterator[Label], progress: Callable[[int], None] | None
) -> Iterator[bytes]:
    done = 1
    waiting = bytearray(start)
    for label in labels:
        waiting += printer.add(label)
        done += 1
        if progress is not None and done % _PROGRESS_EVERY == 0:
            progress(done)
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if progress is not None and done % _PROGRESS_EVERY:
        progress(done)
    for portion in printer.finish():
        waiting += portion
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def render_pdf(labels: Iterable[Label], style: Style | str) -> Iterator[bytes]:
    """Labels as one PDF: pages of one label, or sheets."""
    return render("pdf", labels, style)


def render_images(
    labels: Iterable[Label], style: Style | str, dpi: int = PRESS_DPI, *, form: str = "tiff"
) -> Iterator[bytes]:
    """Labels as a ZIP of images of one bit a dot, ``tiff`` or ``png``, for a press."""
    return render(form, labels, style, dpi)


def render_zpl(labels: Iterable[Label], style: Style | str, dpi: int = DEFAULT_DPI) -> Iterator[bytes]:
    """Labels as ZPL II for a printer of 203, 300 or 600 dots an inch."""
    return render("zpl", labels, style, dpi)


def render_csv(labels: Iterable[Label]) -> Iterator[bytes]:
    """Labels as CSV for a printing program of the customer's."""
    return render("csv", labels, "qr-25x25")


def render_svg_archive(labels: Iterable[Label], style: Style | str) -> Iterator[bytes]:
    """Labels as a ZIP of SVG documents."""
    return render("svg", labels, style)
