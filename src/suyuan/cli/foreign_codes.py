"""``alias import``: codes of other systems that are on the same items."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from suyuan.cli.codes import progress_bar
from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from suyuan.app import Services
    from suyuan.issuing.alias_rows import Rows
    from suyuan.issuing.aliasing import AliasImport

alias = typer.Typer(no_args_is_help=True, help="Codes of other systems on the same items.")


@alias.callback()
def _alias() -> None:
    """Codes of other systems on the same items."""


@alias.command(name="import")
def import_(
    system: Annotated[str, typer.Option("--system", help="ccic, ecode, city or url (an own address).")],
    party: Annotated[str, typer.Option("--party", metavar="ID", help="The party that says so.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", exists=True, dir_okay=False, help="CSV with the columns code and item."
        ),
    ] = None,
    city: Annotated[
        str, typer.Option("--city", metavar="CODE", help="With --system city: six digits of GB/T 2260.")
    ] = "",
    first: Annotated[str, typer.Option("--from", metavar="CODE", help="First code of a range.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="CODE", help="Last code of the range.")] = "",
    batch: Annotated[int, typer.Option("--batch", metavar="N", help="The batch that the range is on.")] = 0,
    label: Annotated[
        int, typer.Option("--label", metavar="N", help="The batch's label that carries the first code.")
    ] = 1,
    facility: Annotated[str, typer.Option("--facility", metavar="URI", help="Where they were put on.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """State codes of another system as aliases of items: a list, or a range on the labels of a batch in its order.

    Codes are kept as they are written, zeros in front included. All rows are taken or none; what is wrong is told row
    by row. The party must have issued the items' codes, or be the first that commissioned one of the two.

    \b
      suyuan alias import --system ccic labels.csv --party groene-wei
      suyuan alias import --system ccic --from 000000204200001 --to 000000204200500 --batch 12 --party groene-wei
    """
    by_range = bool(first or last or batch)
    if by_range == (file is not None) or (by_range and not (first and last and batch)):
        raise InputError(
            "cli.alias.what",
            "It is not clear which codes are meant.",
            path="FILE",
            remedy="Name a CSV with the columns code and item, or --from, --to and --batch.",
        )

    async def work(services: Services) -> AliasImport:
        from suyuan.issuing import get_batch
        from suyuan.issuing.alias_rows import rows_of_list, rows_of_range
        from suyuan.issuing.aliasing import import_aliases
        from suyuan.issuing.foreign_codes import code_range, code_system

        wanted = code_system(system, city)
        deliverer = await services.deliverer_of(party)
        rows: Rows
        if file is None:
            rows = rows_of_range(await get_batch(services.pool, batch), code_range(first, last), label)
        else:
            rows = rows_of_list(_opener(file))
        with progress_bar(say("importing", "导入"), None) as done:
            return await import_aliases(
                services.pool, services.capture, wanted, rows, deliverer, facility=facility, progress=done
            )

    done = run(data_dir, work)
    show(
        done,
        as_json,
        lambda: say(
            f"{done.count:,} aliases stated, {done.repeated:,} stated before.",
            f"登记别名 {done.count:,} 个，此前已登记 {done.repeated:,} 个。",
        ),
    )


def _opener(path: Path) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        return path.open("rb")

    return opened
