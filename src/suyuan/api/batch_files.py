"""A batch of codes as a file: CSV, or labels as PDF, SVG, ZPL and images, streamed.

Serials come from the database in portions and labels are rendered outside the event loop, a portion at a time, so
that memory does not grow with the batch and other callers are served meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date

import msgspec

from suyuan.api.model import Services
from suyuan.catalog import Product, find_products
from suyuan.errors import InputError
from suyuan.gs1.serials import SERIAL_LENGTH, item_uri
from suyuan.issuing import Batch, PatternKeys, ScratchKeys, iter_serials
from suyuan.issuing.scratch import SCRATCH_LENGTH
from suyuan.printing import (
    FORMATS,
    Label,
    Printer,
    Style,
    built_in_styles,
    get_style,
    open_printer,
    sample_pattern,
)
from suyuan.settings import Settings

DEFAULT_STYLE = "item-40x20"
# Labels rendered in one go in a thread: some hundredths of a second.
_PORTION = 200


class FileOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What file of a batch is asked for. ``style`` and ``expiry`` matter to labels, ``dpi`` to ZPL and images.

    A ``dpi`` of 0 is the format's usual one.
    """

    format: str = "csv"
    style: str = DEFAULT_STYLE
    dpi: int = 0
    expiry: date | None = None


def read_order(format: str, style: str, dpi: int, expiry: str) -> FileOrder:  # noqa: A002 - the query's own word
    """The order of a query, checked against what can be printed.

    Raises ``InputError``, ``NotFoundError`` and ``UnsupportedError`` (``printing.*``).
    """
    chosen = format or "csv"
    try:
        day = date.fromisoformat(expiry) if expiry else None
    except ValueError:
        raise InputError(
            "printing.expiry", "The expiry is no date.", path="expiry", remedy="Write it like 2027-05-31."
        ) from None
    order = FileOrder(format=chosen, style=style or DEFAULT_STYLE, dpi=dpi, expiry=day)
    open_printer(order.format, get_style(order.style), order.dpi)
    return order


def label_stem(batch: Batch, settings: Settings) -> str:
    """What the label URIs of a batch have in common: a serial put behind it makes one.

    Serials are of an alphabet that no URI escapes.
    """
    scheme = settings.base_url.partition(":")[0]
    return item_uri(settings.code_host, batch.gtin, "0", scheme=scheme)[:-1]


def csv_header(batch: Batch) -> bytes:
    """First line of the CSV of a batch; a column more where it has scratch codes."""
    return b"serial,uri,gtin,lot,scratch_code\r\n" if batch.scratch_key else b"serial,uri,gtin,lot\r\n"


def csv_rows(batch: Batch, services: Services, serials: Sequence[str]) -> bytes:
    """Rows of the CSV of a batch: serial, the URI as the label carries it, GTIN, lot, scratch code."""
    lot = f'"{batch.lot.replace(chr(34), chr(34) * 2)}"' if set(batch.lot) & set(',"') else batch.lot
    stem = label_stem(batch, services.settings)
    if not batch.scratch_key:
        return "".join([f"{serial},{stem}{serial},{batch.gtin},{lot}\r\n" for serial in serials]).encode()
    codes = scratch_codes(batch, services.scratch_keys, serials)
    return "".join(
        [
            f"{serial},{stem}{serial},{batch.gtin},{lot},{code}\r\n"
            for serial, code in zip(serials, codes, strict=True)
        ]
    ).encode()


def scratch_codes(batch: Batch, keys: ScratchKeys, serials: Sequence[str]) -> list[str]:
    """The scratch codes of serials of a batch; empty texts where it has none.

    Raises ``UnavailableError`` (``issuing.scratch.key``).
    """
    if not batch.scratch_key:
        return [""] * len(serials)
    return keys.codes(batch.epoch, batch.scratch_key, batch.gtin, serials)


def check_scratch_style(style: Style) -> None:
    """Raise ``InputError`` (``issuing.scratch.style``) where a style has no room for a scratch code."""
    if style.panel is None:
        raise InputError(
            "issuing.scratch.style",
            f"The style {style.name} has no panel to scratch off.",
            path="style",
            remedy="Take one with a panel, such as item-50x30, or print the codes from the CSV.",
        )


def patterns(batch: Batch, keys: PatternKeys, serials: Sequence[str]) -> list[bytes]:
    """The patterns of serials of a batch, for the printer alone; empty bytes where it has none.

    Raises ``UnavailableError`` (``issuing.pattern.key``).
    """
    if not batch.pattern_key:
        return [b""] * len(serials)
    return [keys.template(batch.epoch, batch.pattern_key, batch.gtin, serial) for serial in serials]


def check_pattern_style(style: Style) -> None:
    """Raise ``InputError`` (``issuing.pattern.style``) where a style has no room for a pattern."""
    if style.pattern is None:
        raise InputError(
            "issuing.pattern.style",
            f"The style {style.name} has no room for a pattern.",
            path="style",
            remedy="Take one that has, such as tag-50x25.",
        )


def check_kinds(*, scratch: bool, pattern: bool) -> None:
    """Raise ``InputError`` (``issuing.pattern.scratch``) for a batch that no style could print as it is."""
    if scratch and pattern and not any(one.panel and one.pattern for one in built_in_styles().values()):
        raise InputError(
            "issuing.pattern.scratch",
            "No label style has room for both a scratch code and a pattern.",
            path="pattern",
            remedy="Issue the batch with one of the two.",
        )


def label_of(
    batch: Batch,
    settings: Settings,
    serial: str,
    product: Product | None,
    expiry: date | None,
    scratch_code: str = "",
    pattern: bytes = b"",
) -> Label:
    """The label of one code of a batch."""
    return Label(
        uri=label_stem(batch, settings) + serial,
        gtin=batch.gtin,
        serial=serial,
        lot=batch.lot,
        expiry=expiry,
        name_zh=product.name_zh if product else "",
        name_en=product.name_en if product else "",
        scratch_code=scratch_code,
        pattern=pattern,
    )


def file_name(batch: Batch, order: FileOrder) -> str:
    """What the file is called."""
    return f"codes-{batch.gtin}-{batch.batch_id}{FORMATS[order.format].suffix}"


def media_type(order: FileOrder) -> str:
    """How the file travels."""
    # The server names the character set of texts by itself.
    return FORMATS[order.format].media_type.removesuffix("; charset=utf-8")


async def check_printable(
    services: Services, gtin: str, lot: str, order: FileOrder, *, scratch: bool, pattern: bool = False
) -> None:
    """Raise ``InputError`` (``printing.*``, ``issuing.scratch.style``, ``issuing.pattern.style``,
    ``issuing.pattern.scratch``) where such labels cannot be printed.
    """
    if order.format == "csv":
        return
    check_kinds(scratch=scratch, pattern=pattern)
    style = get_style(order.style)
    if scratch:
        check_scratch_style(style)
    if pattern:
        check_pattern_style(style)
    product = (await find_products(services.pool, [gtin])).get(gtin)
    serial = "0" * SERIAL_LENGTH
    scheme = services.settings.base_url.partition(":")[0]
    trial = Label(
        uri=item_uri(services.settings.code_host, gtin, serial, scheme=scheme),
        gtin=gtin,
        serial=serial,
        lot=lot,
        expiry=order.expiry,
        name_zh=product.name_zh if product else "",
        name_en=product.name_en if product else "",
        scratch_code="0" * SCRATCH_LENGTH if scratch else "",
        pattern=sample_pattern() if pattern else b"",
    )
    open_printer(order.format, style, order.dpi).add(trial)


async def batch_file(
    services: Services, batch: Batch, order: FileOrder, progress: Callable[[int], None] | None = None
) -> AsyncIterator[bytes]:
    """The file of a batch bit by bit, in the order of issue; ``progress`` is told how many codes are done.

    What cannot be printed is refused as a whole before anything is sent. Raises as ``check_printable``, and
    ``UnavailableError`` (``issuing.scratch.key``, ``issuing.pattern.key``).
    """
    scratch, pattern = bool(batch.scratch_key), bool(batch.pattern_key)
    await check_printable(services, batch.gtin, batch.lot, order, scratch=scratch, pattern=pattern)
    scratch_codes(batch, services.scratch_keys, [])
    told = progress or (lambda done: None)
    if order.format == "csv":
        return _csv(services, batch, told)
    product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
    # A key that is not here is noticed before anything is sent.
    patterns(batch, services.pattern_keys, ["0"])
    printer = open_printer(order.format, get_style(order.style), order.dpi)
    return _labels(services, batch, order, printer, product, told)


async def _csv(services: Services, batch: Batch, told: Callable[[int], None]) -> AsyncIterator[bytes]:
    yield csv_header(batch)
    done = 0
    async for serials in iter_serials(services.pool, batch.batch_id):
        yield await asyncio.to_thread(csv_rows, batch, services, serials)
        done += len(serials)
        told(done)


async def _labels(
    services: Services,
    batch: Batch,
    order: FileOrder,
    printer: Printer,
    product: Product | None,
    told: Callable[[int], None],
) -> AsyncIterator[bytes]:
    def rendered(serials: Sequence[str]) -> bytes:
        codes = scratch_codes(batch, services.scratch_keys, serials)
        drawn = patterns(batch, services.pattern_keys, serials)
        return b"".join(
            printer.add(label_of(batch, services.settings, serial, product, order.expiry, code, pattern))
            for serial, code, pattern in zip(serials, codes, drawn, strict=True)
        )

    done = 0
    async for serials in iter_serials(services.pool, batch.batch_id):
        for start in range(0, len(serials), _PORTION):
            piece = await asyncio.to_thread(rendered, serials[start : start + _PORTION])
            if piece:
                yield piece
            done += min(_PORTION, len(serials) - start)
            told(done)
    for piece in printer.finish():
        yield piece
