"""``suyuan issue`` and ``suyuan activate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from suyuan.cli.context import AsJson, DataDir, run, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.compliance.activation import ActivationResult
    from suyuan.issuing import Batch


def issue(
    gtin: Annotated[str, typer.Option(help="GTIN, 14 digits.")],
    lot: Annotated[str, typer.Option(help="Lot number (AI 10).")],
    count: Annotated[int, typer.Option(help="How many codes.")],
    party: Annotated[str, typer.Option(help="The issuing party; the product's owner where left out.")] = "",
    format_: Annotated[Literal["csv"], typer.Option("--format", help="Form of the output.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output where left out.")] = None,
    label: Annotated[str, typer.Option(help="For your own use.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Issue a batch of codes: serial, URI for the label, GTIN, lot.

    All codes of the batch exist afterwards or none. Example:
    suyuan issue --gtin 08710000001236 --lot L25216A --count 43200 --party groene-wei --out codes.csv
    """
    if as_json and out is None:
        raise InputError(
            "cli.issue.out", "--json and the codes cannot both go to standard output.", remedy="Add --out."
        )

    async def work(services: Services) -> Batch:
        from suyuan.api.codes import CSV_HEADER, csv_rows
        from suyuan.issuing import issue, iter_serials

        issuer = party or await _owner(services, gtin)
        shown = sys.stderr.isatty() and not as_json

        def progress(done: int) -> None:
            if shown:
                typer.echo(f"\r{done:,} of {count:,} codes", nl=done == count, err=True)

        batch = await issue(
            services.pool,
            services.mac_keys,
            gtin=gtin,
            lot=lot,
            count=count,
            party_id=issuer,
            label=label,
            progress=progress,
        )
        file: BinaryIO = out.open("wb") if out is not None else sys.stdout.buffer
        try:
            file.write(CSV_HEADER)
            async for serials in iter_serials(services.pool, batch.batch_id):
                file.write(csv_rows(batch, services.settings, serials))
            file.flush()
        finally:
            if out is not None:
                file.close()
        return batch

    batch = run(data_dir, work)
    if out is not None:
        show(batch, as_json, lambda: f"batch {batch.batch_id}: {batch.count:,} codes in {out}")


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


def activate(
    file: Annotated[
        Path, typer.Argument(exists=True, help="The command as JSON: gtin, lot, ledger_item, serials ...")
    ],
    party: Annotated[str, typer.Option(help="The party that activates.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Activate codes, no more than pieces were received undamaged. All or none."""
    import msgspec

    from suyuan.compliance.activation import ActivationCommand, activate_codes

    try:
        command = msgspec.json.decode(file.read_bytes(), type=ActivationCommand)
    except msgspec.MsgspecError as error:
        raise InputError("cli.activate.malformed", f"{error}.", path=str(file)) from None

    async def work(services: Services) -> ActivationResult:
        return await activate_codes(
            services.pool, services.capture, command, await services.deliverer_of(party)
        )

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: (
            f"{done.activated:,} activated, {done.repeated:,} were active, {done.remaining:,} more allowed"
        ),
    )
