"""``suyuan serve``, ``worker``, ``migrate`` and ``demo``: the processes of a deployment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suyuan.cli.context import AsJson, DataDir, load_settings, show
from suyuan.errors import SuyuanError, UnavailableError

if TYPE_CHECKING:
    from suyuan.settings import Settings


def _given(data_dir: Path | None, host: str | None, port: int | None) -> Settings:
    from suyuan import settings

    return settings.load(
        data_dir=str(data_dir) if data_dir else None,
        listen_host=host,
        port=str(port) if port is not None else None,
    )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UnavailableError(
                "serve.port.busy",
                f"Cannot listen on {host}:{port} ({error.strerror}).",
                path="--port",
                remedy="Choose another port with --port, or stop the program that uses this one.",
            ) from None


def serve(
    port: Annotated[
        int | None, typer.Option(help="TCP port (SUYUAN_PORT, else 8080).", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data_dir: DataDir = None,
) -> None:
    """Serve all doors, with the embedded database unless SUYUAN_DATABASE_URL is set, and keep the log moving.

    Ctrl-C or SIGTERM ends it after what was accepted is stored.
    """
    from granian import Granian
    from granian.constants import Interfaces

    settings = _given(data_dir, host, port)
    _check_port(settings.listen_host, settings.port)
    with _database(settings), _background(settings):
        for setting, value in _environment(settings).items():
            os.environ[setting] = value
        typer.echo(f"Suyuan serves {settings.base_url} on {settings.listen_host}:{settings.port}", err=True)
        Granian(
            target="suyuan.asgi:application",
            factory=True,
            address=settings.listen_host,
            port=settings.port,
            interface=Interfaces.ASGI,
            workers=workers,
            backlog=2048,
            workers_kill_timeout=30,
            log_enabled=settings.log_level == "debug",
            websockets=False,
        ).serve()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings for the server processes, which read them from their environment."""
    from suyuan.settings import TABLE

    found = {setting.name: getattr(settings, setting.field) for setting in TABLE}
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


@contextlib.contextmanager
def _database(settings: Settings) -> Any:
    """The database, running and up to date, for the length of the block."""
    from suyuan.db import embedded
    from suyuan.db.migrate import prepare

    if settings.database_url:
        asyncio.run(prepare(settings.database_url))
        yield
        return
    server = embedded.start(settings.data_dir)
    try:
        asyncio.run(prepare(server.dsn))
        yield
    finally:
        server.stop()


@contextlib.contextmanager
def _background(settings: Settings) -> Any:
    """The worker in a thread of its own; at the end it publishes what is stored."""
    from suyuan import worker

    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(worker.run(settings, stop))
        except SuyuanError as error:
            # The log must not be signed any more, or the database is gone: captures go on, people must know.
            typer.secho(f"The log has stopped. {error}", fg="red", err=True)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="suyuan-worker")
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # it ended by itself
            loop.call_soon_threadsafe(stop.set)
        thread.join(30)


def worker(data_dir: DataDir = None) -> None:
    """Keep the log moving and make partitions ahead of need, as a process of its own."""
    from suyuan import worker as room
    from suyuan.observing import configure_logging

    settings = load_settings(data_dir)
    configure_logging(settings)

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await room.run(settings, stop)

    asyncio.run(work())


def migrate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring the database up to date. Running it twice does nothing more."""
    from suyuan.app import open_database
    from suyuan.db.migrate import prepare

    settings = load_settings(data_dir)

    async def work() -> list[int]:
        async with open_database(settings) as dsn:
            return await prepare(dsn)

    done = asyncio.run(work())
    show(
        {"applied": done},
        as_json,
        lambda: f"{len(done)} migrations applied" if done else "The database is up to date.",
    )


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the summary and end.")] = False,
    port: Annotated[int, typer.Option(help="Port; a free one where it is taken.")] = 8080,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    data_dir: Annotated[Path, typer.Option(help="Directory of the demo; emptied at every start.")] = Path(
        "data/demo"
    ),
    as_json: AsJson = False,
) -> None:
    """Play the example journey through the public doors, on a deployment of its own.

    Every paper goes in with its own party's token. What the summary says is read back from the server.
    """
    from suyuan.cli.demo import run as run_demo

    # A phone in the same network reads the page; without --once somebody is there to look.
    address = host or ("127.0.0.1" if once else "0.0.0.0")  # noqa: S104
    raise typer.Exit(run_demo(once=once, as_json=as_json, data_dir=data_dir, port=port, host=address))
