"""``issue``, ``activate`` and ``void``: the life of codes until events take over."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from suyuan.cli.context import MANNER, AsJson, DataDir, console, run, say, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.catalog import Product
    from suyuan.compliance.activation import ActivationResult
    from suyuan.issuing import Activation, Batch
    from suyuan.printing.label import Label

Gtin = Annotated[str, typer.Option("--gtin", help="GTIN, 14 digits.")]
Lot = Annotated[str, typer.Option("--lot", help="Lot number.")]
Serials = Annotated[
    Path,
    typer.Option(
        "--serials",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="One serial or item URI a line, or CSV with a column serial; - for standard input.",
    ),
]
PartyId = Annotated[str, typer.Option("--party", metavar="ID", help="The party in whose name it is done.")]


class Format(StrEnum):
    """Forms in which a batch is written."""

    CSV = "csv"
    PDF = "pdf"
    SVG = "svg"
    ZPL = "zpl"


def issue(
    gtin: Gtin,
    lot: Lot,
    count: Annotated[int, typer.Option("--count", "-n", help="How many codes.")],
    party: Annotated[
        str, typer.Option(metavar="ID", help="The issuing party; the product's owner where left out.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="Form of the output.")] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; standard output where left out.")
    ] = None,
    style: Annotated[
        str, typer.Option(help="Size and layout of labels, e.g. qr-25x25, item-40x20, item-50x30, a4-3x8.")
    ] = "item-40x20",
    dpi: Annotated[
        int, typer.Option(help="Resolution of the label printer, for ZPL: 203, 300 or 600.")
    ] = 203,
    expiry: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Best before, printed where the style has room."),
    ] = None,
    label: Annotated[str, typer.Option(help="For your own use.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Issue a batch of codes, one for each item: as a table, or as labels ready to print.

    CSV holds serial, URI as the label carries it, GTIN, lot. PDF are pages, SVG a ZIP of one drawing a label, ZPL
    what a thermal printer takes; the catalogue gives the product's names. All codes of the batch exist afterwards,
    or none; a file appears under its name when it is whole.

    \b
      suyuan issue --gtin 08710000001236 --lot L25216A --count 43200 --party groene-wei --out codes.csv
      suyuan issue --gtin 08710000001236 --lot L25216A --count 24 --format pdf --style a4-3x8 --out labels.pdf
    """
    if as_json and out is None:
        raise InputError(
            "cli.issue.out",
            "--json and the codes cannot both go to standard output.",
            path="--out",
            remedy="Add --out FILE.",
        )
    sheet = _Sheet(form, style, dpi, expiry.date() if expiry else None)
    batch = run(data_dir, lambda services: _issue(services, gtin, lot, count, party, label, out, sheet))
    if out is not None:
        show(
            batch,
            as_json,
            lambda: say(
                f"batch {batch.batch_id}: {batch.count:,} codes in {out}",
                f"批次 {batch.batch_id}：{batch.count:,} 个码，已写入 {out}",
            ),
        )


class _Sheet(NamedTuple):
    """How a batch is written."""

    form: Format
    style: str
    dpi: int
    expiry: date | None


async def _issue(
    services: Services,
    gtin: str,
    lot: str,
    count: int,
    party: str,
    label: str,
    out: Path | None,
    sheet: _Sheet,
) -> Batch:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from suyuan import issuing
    from suyuan.catalog import find_products
    from suyuan.issuing.codes import check_batch
    from suyuan.parties import get_party
    from suyuan.printing.render import open_printer
    from suyuan.printing.styles import get_style

    check_batch(gtin, lot, count)
    if sheet.form is not Format.CSV:
        # What cannot be printed is refused before a code exists.
        product = (await find_products(services.pool, [gtin])).get(gtin)
        open_printer(sheet.form, get_style(sheet.style), sheet.dpi).add(
            _label(
                f"https://{services.settings.code_host}/01/{gtin}/21/{'0' * 20}",
                gtin,
                "0" * 20,
                lot,
                product,
                sheet,
            )
        )
    issuer = party or await _owner(services, gtin)
    await get_party(services.pool, issuer)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(error=True), transient=True, disable=MANNER.as_json) as progress:
        task = progress.add_task(say("issuing", "发码"), total=count)
        batch = await issuing.issue(
            services.pool,
            services.mac_keys,
            gtin=gtin,
            lot=lot,
            count=count,
            party_id=issuer,
            label=label,
            progress=lambda done: progress.update(task, completed=done),
        )
    await _write(services, batch, out, sheet)
    return batch


async def _owner(services: Services, gtin: str) -> str:
    from suyuan.catalog import find_products

    product = (await find_products(services.pool, [gtin])).get(gtin)
    if product is None or not product.owner_party:
        raise InputError(
            "cli.issue.party",
            "The catalogue names no owner of this GTIN.",
            path="--party",
            remedy="Name the issuing party with --party.",
        )
    return product.owner_party


async def _write(services: Services, batch: Batch, out: Path | None, sheet: _Sheet) -> None:
    """Write the batch, serials streamed."""
    part = out.with_name(out.name + ".part") if out is not None else None
    file = sys.stdout.buffer if part is None else part.open("wb")
    try:
        async for piece in _pieces(services, batch, sheet):
            file.write(piece)
        file.flush()
    finally:
        if part is not None:
            file.close()
    if part is not None and out is not None:
        part.replace(out)


def _label(uri: str, gtin: str, serial: str, lot: str, product: Product | None, sheet: _Sheet) -> Label:
    from suyuan.printing.label import Label

    return Label(
        uri=uri,
        gtin=gtin,
        serial=serial,
        lot=lot,
        expiry=sheet.expiry,
        name_zh=product.name_zh if product else "",
        name_en=product.name_en if product else "",
    )


async def _pieces(services: Services, batch: Batch, sheet: _Sheet) -> AsyncIterator[bytes]:
    """The batch in the form that was asked for, bit by bit."""
    from suyuan.api.batch_files import CSV_HEADER, csv_rows, label_stem
    from suyuan.catalog import find_products
    from suyuan.issuing import iter_serials
    from suyuan.printing.render import open_printer
    from suyuan.printing.styles import get_style

    if sheet.form is Format.CSV:
        yield CSV_HEADER
        async for serials in iter_serials(services.pool, batch.batch_id):
            yield csv_rows(batch, services.settings, serials)
        return
    product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
    stem = label_stem(batch, services.settings)
    printer = open_printer(sheet.form, get_style(sheet.style), sheet.dpi)
    async for serials in iter_serials(services.pool, batch.batch_id):
        for serial in serials:
            yield printer.add(_label(stem + serial, batch.gtin, serial, batch.lot, product, sheet))
    for piece in printer.finish():
        yield piece


def read_serials(path: Path) -> tuple[str, ...]:
    """Bare serials from a file: one serial or item URI a line, or CSV with a column ``serial``.

    Raises ``InputError`` (``cli.serials.line``) with the line.
    """
    data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    text = data.decode("utf-8-sig", "replace")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    column = 0
    if lines and "serial" in (header := [cell.strip().lower() for cell in lines[0][1].split(",")]):
        column = header.index("serial")
        lines = lines[1:]
    return tuple(_serial(number, line.split(",")[column : column + 1]) for number, line in lines)


def _serial(number: int, cells: list[str]) -> str:
    from suyuan.gs1.digital_link import parse

    text = cells[0].strip() if cells else ""
    if "://" in text:
        serial = parse(text).serial
        if serial:
            return serial
    elif 0 < len(text) <= 20:
        return text
    raise InputError("cli.serials.line", "The line names no serial.", path=f"line {number}")


def activate(
    gtin: Gtin,
    lot: Lot,
    serials: Serials,
    party: PartyId,
    ledger_item: Annotated[str, typer.Option("--ledger-item", metavar="LEDGER:ITEM", help="账册项号.")] = "",
    facility: Annotated[str, typer.Option("--facility", metavar="URI", help="The warehouse.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make codes active, no more than were received undamaged; over the allowance nothing is changed.

    \b
      suyuan activate --gtin 09506000134352 --lot L1 --ledger-item T5165W000123:17 --serials good.csv --party house
    """

    from suyuan.compliance.activation import ActivationCommand, activate_codes
    from suyuan.issuing.codes import check_batch

    check_batch(gtin, lot, 1)
    command = ActivationCommand(
        gtin=gtin, lot=lot, serials=read_serials(serials), ledger_item=ledger_item, facility=facility
    )

    async def work(services: Services) -> ActivationResult:
        deliverer = await services.deliverer_of(party)
        return await activate_codes(services.pool, services.capture, command, deliverer)

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.activated:,} activated, {done.repeated:,} active before, {done.remaining:,} more are allowed.",
            f"激活 {done.activated:,} 个，此前已激活 {done.repeated:,} 个，剩余额度 {done.remaining:,} 个。",
        ),
    )


def void(
    gtin: Gtin,
    lot: Lot,
    serials: Serials,
    party: PartyId,
    reason: Annotated[str, typer.Option("--reason", help="Why, e.g. misprinted.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take codes out of use for ever, before they are active.

    \b
      suyuan void --gtin 09506000134352 --lot L1 --serials spoilt.csv --party zwolle --reason misprinted
    """

    async def work(services: Services) -> Activation:
        from suyuan import issuing
        from suyuan.parties import get_party

        await get_party(services.pool, party)
        return await issuing.void(
            services.pool, gtin=gtin, lot=lot, serials=read_serials(serials), party_id=party, reason=reason
        )

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.count:,} voided, {done.repeated:,} voided before.",
            f"作废 {done.count:,} 个，此前已作废 {done.repeated:,} 个。",
        ),
    )
