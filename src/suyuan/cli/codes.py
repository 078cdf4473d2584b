"""``issue``: a batch of codes, as a table or as labels."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from suyuan.cli.context import MANNER, AsJson, DataDir, console, run, say, show
from suyuan.errors import ConflictError, InputError

if TYPE_CHECKING:
    from suyuan.api.batch_files import FileOrder
    from suyuan.app import Services
    from suyuan.issuing import Batch

Gtin = Annotated[str, typer.Option("--gtin", help="GTIN, 14 digits.")]
Lot = Annotated[str, typer.Option("--lot", help="Lot number.")]


class Format(StrEnum):
    """Forms in which a batch is written."""

    CSV = "csv"
    PDF = "pdf"
    SVG = "svg"
    ZPL = "zpl"
    PNG = "png"
    TIFF = "tiff"


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
        str,
        typer.Option(
            help="Size and layout of labels, e.g. qr-25x25, item-40x20, item-50x30, tag-50x25, a4-3x8."
        ),
    ] = "item-40x20",
    dpi: Annotated[
        int,
        typer.Option(
            help="Dots an inch: for ZPL 203, 300 or 600; for PNG and TIFF also 812 and 1200. 203 and 812 where left"
            " out.",
            show_default=False,
        ),
    ] = 0,
    expiry: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Best before, printed where the style has room."),
    ] = None,
    label: Annotated[str, typer.Option(help="For your own use.")] = "",
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Also a second code for each item, to be scratched off.")
    ] = False,
    pattern: Annotated[
        bool,
        typer.Option("--pattern", help="Also a pattern of dots on each label, which a camera can check."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the file of --out where there is one.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Issue a batch of codes, one for each item: as a table, or as labels ready to print.

    CSV holds serial, URI as the label carries it, GTIN, lot and, with --scratch, the scratch code. PDF are pages,
    SVG a ZIP of one drawing a label, ZPL what a thermal printer takes, PNG and TIFF a ZIP of one image a label, black
    and white, as a press takes them; the catalogue gives the product's names. All codes of the batch exist afterwards,
    or none; a file appears under its name when it is whole,
    and none that is there is written over without --force.

    \b
      suyuan issue --gtin 08710000001236 --lot L25216A --count 43200 --party groene-wei --out codes.csv
      suyuan issue --gtin 08710000001236 --lot L25216A --count 24 --format pdf --style a4-3x8 --out labels.pdf
      suyuan issue --gtin 08710000001236 --lot L25216A --count 1000000 --scratch --out codes.csv
      suyuan issue --gtin 08710000001236 --lot L25216A --count 500 --pattern --format tiff --style tag-50x25 --out l.zip
    """
    from suyuan.api.batch_files import check_kinds, check_pattern_style, check_scratch_style, read_order
    from suyuan.printing import get_style

    if as_json and out is None:
        raise InputError(
            "cli.issue.out",
            "--json and the codes cannot both go to standard output.",
            path="--out",
            remedy="Add --out FILE.",
        )
    if out is None and form is not Format.CSV and form is not Format.ZPL and sys.stdout.isatty():
        raise InputError(
            "cli.issue.out",
            "Labels are no text for a terminal.",
            path="--out",
            remedy="Add --out FILE, or lead the output into one.",
        )
    check_kinds(scratch=scratch, pattern=pattern)
    day = expiry.date().isoformat() if expiry else ""
    order = read_order(form.value, style, dpi, day)
    if scratch and form is not Format.CSV:
        check_scratch_style(get_style(style))
    if pattern and form is not Format.CSV:
        check_pattern_style(get_style(style))
    if out is not None:
        _check_writable(out, force)
    wanted = _Wanted(gtin, lot, count, party, label, scratch, pattern)
    batch = run(data_dir, lambda services: _issue(services, wanted, order, out))
    if out is not None:
        show(
            batch,
            as_json,
            lambda: say(
                f"batch {batch.batch_id}: {batch.count:,} codes in {out}",
                f"批次 {batch.batch_id}：{batch.count:,} 个码，已写入 {out}",
            ),
        )


class _Wanted(NamedTuple):
    """What is to be issued."""

    gtin: str
    lot: str
    number: int
    party: str
    label: str
    scratch: bool
    pattern: bool


async def _issue(services: Services, wanted: _Wanted, order: FileOrder, out: Path | None) -> Batch:
    from suyuan import issuing
    from suyuan.api.batch_files import check_printable
    from suyuan.issuing.codes import check_batch
    from suyuan.parties import get_party

    gtin, lot, count, party, label, scratch, pattern = wanted
    check_batch(gtin, lot, count)
    # What cannot be printed is refused before a code exists.
    await check_printable(services, gtin, lot, order, scratch=scratch, pattern=pattern)
    issuer = party or await _owner(services, gtin)
    await get_party(services.pool, issuer)
    with progress_bar(say("issuing", "发码"), count) as done:
        batch = await issuing.issue(
            services.pool,
            services.mac_keys,
            gtin=gtin,
            lot=lot,
            count=count,
            party_id=issuer,
            label=label,
            scratch=services.scratch_keys if scratch else None,
            pattern=services.pattern_keys if pattern else None,
            progress=done,
        )
    await _write(services, batch, out, order)
    return batch


@contextlib.contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where a person looks on; takes how much is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = console(error=True)
    unseen = MANNER.as_json or not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=unseen) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _check_writable(out: Path, force: bool) -> None:
    """Before a code exists: raise ``InputError`` (``cli.file``) where its file cannot, and ``ConflictError``
    (``cli.file.exists``) where another is there, which may be the codes of another batch.
    """
    if out.is_file() and not force:
        raise ConflictError(
            "cli.file.exists",
            "There is a file of this name already. No code was issued.",
            path=str(out),
            remedy="Name another file, or add --force to write over it.",
        )
    try:
        if out.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        part = _part_of(out)
        part.open("wb").close()
        part.unlink()
    except OSError as error:
        raise InputError(
            "cli.file",
            f"The file cannot be written: {error.strerror}. No code was issued.",
            path=str(out),
            remedy="Name a file in a folder that is there and that you may write to.",
        ) from None


def _part_of(out: Path) -> Path:
    return out.with_name(out.name + ".part")


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


async def _write(services: Services, batch: Batch, out: Path | None, order: FileOrder) -> None:
    """Write the batch, codes streamed."""
    from suyuan.api.batch_files import batch_file

    part = _part_of(out) if out is not None else None
    file = sys.stdout.buffer if part is None else part.open("wb")
    total = batch.count if part is not None else 0
    try:
        with progress_bar(say("writing", "写入"), total) as done:
            async for piece in await batch_file(services, batch, order, progress=done):
                file.write(piece)
        file.flush()
    finally:
        if part is not None:
            file.close()
    if part is not None and out is not None:
        part.replace(out)
