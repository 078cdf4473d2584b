"""What every command shares: services for its length, output for people or machines, errors with their remedy."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from suyuan.errors import SuyuanError

if TYPE_CHECKING:
    from suyuan.app import Services

T = TypeVar("T")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Directory of the deployment (SUYUAN_DATA_DIR, else ./data).", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for machines instead of text.")]


class CommandLine(typer.Typer):
    """A typer application whose errors are one line, with a remedy and an exit code of their kind."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except SuyuanError as error:
            if kwargs.get("standalone_mode") is False:
                raise
            show_error(error)
            sys.exit(error.exit_code)


def show_error(error: SuyuanError) -> None:
    """The error on standard error: what, where, why, and what to do now."""
    where = f" ({error.path})" if error.path else ""
    typer.secho(f"{error.code}{where}: {error.reason}", fg="red", err=True)
    if error.remedy:
        typer.echo(f"  {error.remedy}", err=True)


def load_settings(data_dir: Path | None) -> Any:
    """The settings of this call. Raises ``InputError`` (``settings.*``)."""
    from suyuan import settings

    return settings.load(data_dir=str(data_dir) if data_dir else None)


def run(data_dir: Path | None, work: Callable[[Services], Awaitable[T]]) -> T:
    """What ``work`` returns on the services of the deployment in ``data_dir``."""
    from suyuan.app import open_services

    async def session() -> T:
        async with open_services(load_settings(data_dir)) as services:
            return await work(services)

    return asyncio.run(session())


def show(value: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print a result: JSON of ``value``, or what ``text`` makes for people."""
    if as_json:
        import msgspec

        typer.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))
    else:
        typer.echo(text())
