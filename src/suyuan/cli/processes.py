"""``suyuan serve``, ``worker``, ``migrate`` and ``demo``: the processes of a deployment."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.context import AsJson, DataDir, leave_names, load_settings, note, read_names, say, show
from suyuan.cli.metrics_folder import metrics_folder
from suyuan.errors import SuyuanError, UnavailableError

if TYPE_CHECKING:
    from suyuan.settings import Settings

STOP_SECONDS = 30
# How long the head of a request may take, an idle connection included, and how long it may be.
HEAD_MILLISECONDS = 30_000
MAX_HEAD_BYTES = 131_072


def serve_settings(data_dir: Path | None, host: str | None, port: int | None) -> Settings:
    """The settings of a server. A log keeps the name that it had at first, also on another port."""
    from suyuan import settings

    configured = settings.load(data_dir=data_dir, listen_host=host, port=port)
    names = read_names(configured)
    own = configured.base_url.partition("://")[2]
    if names is not None and configured.log_origin == f"{own}/log":
        return settings.load(data_dir=data_dir, listen_host=host, port=port, log_origin=names.log_origin)
    return configured


def check_port(host: str, port: int) -> None:
    """Raise ``UnavailableError`` (``cli.port.busy``, ``cli.port.address``) unless the port can be bound now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UnavailableError(
                    "cli.port.busy",
                    f"Port {port} on {host} is in use by another program.",
                    path="--port",
                    remedy=f"Stop it, or choose another port: suyuan serve --port {port + 1}",
                ) from None
            raise UnavailableError(
                "cli.port.address",
                f"{host}:{port} cannot be bound: {error.strerror or error}.",
                path="--host",
                remedy="Use an address of this machine and a port above 1023.",
            ) from None


def serve(
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="TCP port (SUYUAN_PORT, else 8080).", show_default=False),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on (SUYUAN_LISTEN_HOST, else 127.0.0.1).", show_default=False),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, max=64, help="Server processes.")] = 1,
    data_dir: DataDir = None,
) -> None:
    """Serve all doors, with the embedded database unless SUYUAN_DATABASE_URL is set, and keep the log moving.

    A new data directory is set up on the way. Behind a proxy that speaks TLS, set SUYUAN_BASE_URL to the address
    that the public sees before anything is printed on goods. Ctrl-C or SIGTERM ends it after what was accepted is
    stored and published.

    \b
      suyuan serve
      suyuan serve --port 9000 --data-dir /var/lib/suyuan
      SUYUAN_DATABASE_URL=postgresql://suyuan@db/suyuan suyuan serve --workers 4
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from suyuan.observing import configure_logging

    configured = serve_settings(data_dir, host, port)
    check_port(configured.listen_host, configured.port)
    configure_logging(configured)
    # A forked child would inherit threads in the middle of their work.
    multiprocessing.set_start_method("spawn", force=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_database(configured))
        leave_names(configured)
        # Server processes load these very settings from their environment.
        os.environ.update(_environment(configured))
        # All server processes count into one folder, so that whichever is asked answers for all of them.
        folder = stack.enter_context(metrics_folder())
        os.environ.update(PROMETHEUS_MULTIPROC_DIR=folder)
        beside = _Worker(configured)
        server = Granian(
            target="suyuan.asgi:application",
            factory=True,
            address=configured.listen_host,
            port=configured.port,
            interface=Interfaces.ASGI,
            workers=workers,
            backlog=2048,
            workers_kill_timeout=STOP_SECONDS,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
            websockets=False,
            # Proxies speak HTTP/1.1 to us; a connection that may still become HTTP/2 has no time limit.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=MAX_HEAD_BYTES
            ),
        )

        @server.on_startup
        def _started() -> None:
            beside.start()
            threading.Thread(target=_announce, args=(configured,), daemon=True).start()

        try:
            server.serve()
        finally:
            beside.stop()


def _announce(configured: Settings) -> None:
    """Say where the deployment answers, as soon as it does."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(configured.listen_host, configured.listen_host)  # noqa: S104
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection((host, configured.port), timeout=1):
            break
        time.sleep(0.1)
    else:
        return
    for english, chinese, path in (
        ("Suyuan serves", "溯源服务地址", ""),
        ("for machines", "机器接口", "/schema"),
        ("log", "透明日志", "/log/checkpoint"),
        ("health", "健康状况", "/health"),
    ):
        note(f"{english:<14} {configured.base_url}{path}", f"{chinese}  {configured.base_url}{path}")
    note("Ctrl-C stops it.", "按 Ctrl-C 停止。")


def _environment(configured: Settings) -> dict[str, str]:
    """The settings for the server processes, which read them from their environment."""
    from suyuan.settings import TABLE

    found = {setting.name: getattr(configured, setting.field) for setting in TABLE}
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


@contextlib.contextmanager
def _database(configured: Settings) -> Iterator[None]:
    """The database for the length of the block. The embedded one is brought up to date; a server of one's own is
    migrated by ``suyuan migrate`` alone, since several versions may share it for a while.
    """
    from suyuan.db import embedded
    from suyuan.db.migrate import prepare

    if configured.database_url:
        asyncio.run(_check_database(configured.database_url))
        yield
        return
    note("Starting the embedded database ...", "正在启动内置数据库……")
    server = embedded.start(configured.data_dir)
    try:
        asyncio.run(prepare(server.dsn))
        yield
    finally:
        server.stop()


async def _check_database(dsn: str) -> None:
    from suyuan.db.migrate import check_current
    from suyuan.db.pool import open_pool

    async with open_pool(dsn, size=1) as pool, pool.acquire() as conn:
        await check_current(conn)


class _Worker(threading.Thread):
    """The sequencer and its companions, in a thread with an event loop of their own."""

    def __init__(self, configured: Settings) -> None:
        super().__init__(name="suyuan-worker", daemon=True)
        self._settings = configured
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()

    def run(self) -> None:
        import structlog

        from suyuan import worker

        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(worker.run(self._settings, self._over))
        except SuyuanError as error:
            # The log must not be signed any more, or the database is gone: captures go on, people must know.
            structlog.get_logger("suyuan.worker").error(
                "the log has stopped", code=error.code, reason=error.reason, remedy=error.remedy
            )

    def stop(self) -> None:
        """Publish what is stored, and end."""
        if self.is_alive():
            with contextlib.suppress(RuntimeError):  # it ended by itself
                self._loop.call_soon_threadsafe(self._over.set)
            self.join(STOP_SECONDS)


def worker(data_dir: DataDir = None) -> None:
    """Keep the log moving and make partitions ahead of need, as a process of its own.

    suyuan serve does this too. This is for deployments that serve from several machines: any number may run, one is
    active.

    \b
      SUYUAN_DATABASE_URL=postgresql://suyuan@db/suyuan suyuan worker
    """
    from suyuan import worker as room
    from suyuan.observing import configure_logging

    settings = load_settings(data_dir)
    configure_logging(settings)

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        note("The worker runs. Ctrl-C stops it.", "工作进程已启动，按 Ctrl-C 停止。")
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
        lambda: (
            say(f"{len(done)} migrations applied", f"已执行 {len(done)} 个迁移")
            if done
            else say("The database is up to date.", "数据库已是最新版本。")
        ),
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
