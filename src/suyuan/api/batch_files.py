"""A batch of codes as a file: CSV, or labels as PDF, SVG and ZPL, streamed.

Serials come from the database in portions and labels are rendered outside the event loop, a portion at a time, so
that memory does not grow with the batch and other callers are served meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date

import msgspec

from suyuan.api.model import Services
from suyuan.catalog import Product, find_products
from suyuan.errors import InputError
from suyuan.gs1.serials import item_uri
from suyuan.issuing import Batch, iter_serials
from suyuan.printing import DEFAULT_DPI, FORMATS, Label, Printer, get_style, open_printer
from suyuan.settings import Settings

CSV_HEADER = b"serial,uri,gtin,lot\r\n"
DEFAULT_STYLE = "item-40x20"
# Labels rendered in one go in a thread: some hundredths of a second.
_PORTION = 200


class FileOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What file of a batch is asked for. ``style`` and ``expiry`` matter to labels, ``dpi`` to ZPL."""

    format: str = "csv"
    style: str = DEFAULT_STYLE
    dpi: int = DEFAULT_DPI
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
    order = FileOrder(format=chosen, style=style or DEFAULT_STYLE, dpi=dpi or DEFAULT_DPI, expiry=day)
    open_printer(order.format, get_style(order.style), order.dpi)
    return order


def label_stem(batch: Batch, settings: Settings) -> str:
    """What the label URIs of a batch have in common: a serial put behind it makes one.

    Serials are of an alphabet that no URI escapes.
    """
    scheme = settings.base_url.partition(":")[0]
    return item_uri(settings.code_host, batch.gtin, "0", scheme=scheme)[:-1]


def csv_rows(batch: Batch, settings: Settings, serials: Sequence[str]) -> bytes:
    """Rows of the CSV of a batch: serial, the URI as the label carries it, GTIN and lot."""
    lot = f'"{batch.lot.replace(chr(34), chr(34) * 2)}"' if set(batch.lot) & set(',"') else batch.lot
    stem = label_stem(batch, settings)
    return "".join([f"{serial},{stem}{serial},{batch.gtin},{lot}\r\n" for serial in serials]).encode()


def label_of(
    batch: Batch, settings: Settings, serial: str, product: Product | None, expiry: date | None
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
    )


def file_name(batch: Batch, order: FileOrder) -> str:
    """What the file is called."""
    return f"codes-{batch.gtin}-{batch.batch_id}{FORMATS[order.format].suffix}"


def media_type(order: FileOrder) -> str:
    """How the file travels."""
    # The server names the character set of texts by itself.
    return FORMATS[order.format].media_type.removesuffix("; charset=utf-8")


async def batch_file(services: Services, batch: Batch, order: FileOrder) -> AsyncIterator[bytes]:
    """The file of a batch bit by bit, in the order of issue.

    The first label is made before anything is sent: what cannot be printed is refused as a whole.
    """
    if order.format == "csv":
        return _csv(services, batch)
    product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
    style = get_style(order.style)
    trial = label_of(batch, services.settings, "0" * 20, product, order.expiry)
    open_printer(order.format, style, order.dpi).add(trial)
    printer = open_printer(order.format, style, order.dpi)
    return _labels(services, batch, order, printer, product)


async def _csv(services: Services, batch: Batch) -> AsyncIterator[bytes]:
    yield CSV_HEADER
    async for serials in iter_serials(services.pool, batch.batch_id):
        yield csv_rows(batch, services.settings, serials)


async def _labels(
    services: Services, batch: Batch, order: FileOrder, printer: Printer, product: Product | None
) -> AsyncIterator[bytes]:
    def rendered(serials: Sequence[str]) -> bytes:
        return b"".join(
            printer.add(label_of(batch, services.settings, serial, product, order.expiry))
            for serial in serials
        )

    async for serials in iter_serials(services.pool, batch.batch_id):
        for start in range(0, len(serials), _PORTION):
            piece = await asyncio.to_thread(rendered, serials[start : start + _PORTION])
            if piece:
                yield piece
    for piece in printer.finish():
        yield piece
