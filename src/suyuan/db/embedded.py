"""The embedded PostgreSQL server: one per data directory, shared by every process that needs it.

Guarantees:

- Two processes never run two servers on one directory: starting is serialised by a lock (flock) in it, and
  the server's keeper holds another as long as the server runs.
- The server outlives the process that started it while others use it, and ends with the last of them,
  however that one ends (``keeper``). Nothing is orphaned.
- ``start`` returns when a connection was made and the database exists. A crash before is repaired by the
  next start: a half-made cluster is thrown away, a stale pid file is recognised (``postmaster``).
- No mode or owner of a file is changed that this module did not create; no TCP port is opened.

Trust: whoever is our user, or root, may connect as the database's superuser, since the socket lies in a
directory closed to all others. Who can write to the data directory can change everything but what is signed
and witnessed.

Layout below the data directory: ``database/cluster`` (PostgreSQL's own), ``database/server.log`` and three
lock files. The socket has a directory of its own, since its whole path may not exceed 107 bytes (103 on
macOS). It lies in /tmp and not in the user's runtime directory, which disappears when the user logs out
while a service goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from suyuan.db import binaries, keeper, postmaster, tuning, wire
from suyuan.db.cluster import (
    SUPERUSER,
    check_cluster,
    make_cluster,
    make_socket_dir,
    server_environment,
    server_name_of,
)
from suyuan.db.locks import EXCLUSIVE, SHARED, acquire, is_held, open_lock, try_lock, wait_until
from suyuan.errors import UnavailableError

DATABASE = "suyuan"
_START_SECONDS = 60.0
# Replaying the log after a crash may take as long as the log is big; the server says that it is at it.
_RECOVERY_SECONDS = 1800.0
_STOP_SECONDS = 150.0
_PAUSE_SECONDS = 0.02
_LOG_BYTES = 4 << 20


class Server:
    """One process's hold on the running server. While it is held the server stays."""

    def __init__(self, home: Path, socket_dir: str, users_lock: int) -> None:
        self._home = home
        self._users_lock: int | None = users_lock
        self._pid = os.getpid()
        self.socket_dir = socket_dir
        self.dsn = dsn_of(socket_dir)

    def database_dsn(self, name: str) -> str:
        """The DSN of another database on the same server."""
        return dsn_of(self.socket_dir, name)

    def is_running(self) -> bool:
        """Whether the server is there. A server that crashed is started again by the next ``start`` only."""
        return _keeper_runs(self._home)

    def stop(self) -> None:
        """Let go. The last one to do so waits until the server has shut down; idempotent.

        In a process forked from the one that called ``start`` this does nothing: the hold is the parent's.
        Raises ``UnavailableError`` (``db.embedded.stop``) if the server does not end in time.
        """
        lock, self._users_lock = self._users_lock, None
        if lock is None or self._pid != os.getpid():
            return
        try:
            if try_lock(lock, EXCLUSIVE):
                # We alone are left, and nobody can come while we hold this.
                _stop_keeper(self._home)
            elif try_lock(lock, SHARED):
                return  # others use it
            wait_until(lambda: not _keeper_runs(self._home), _STOP_SECONDS, "db.embedded.stop", self._home)
        finally:
            os.close(lock)


def dsn_of(socket_dir: str, database: str = DATABASE) -> str:
    """The DSN of a database whose server listens in ``socket_dir``."""
    where = f"host={quote(socket_dir, safe='/')}&port={wire.PORT}"
    return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?{where}"


@contextlib.asynccontextmanager
async def running(data_dir: Path, *, durable: bool = True) -> AsyncIterator[str]:
    """The DSN of the server of ``data_dir``, started if need be and held until the block ends."""
    server = await asyncio.to_thread(start, data_dir, durable=durable)
    try:
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)


def start(data_dir: Path, *, durable: bool = True, major: int = binaries.MAJOR) -> Server:
    """Start the server of ``data_dir``, or join the one that runs. Blocks until it takes connections.

    ``durable=False`` (tests only) makes a *newly started* server skip fsync. Raises ``UnavailableError``
    (``db.embedded.*``), whose remedy says what to do.
    """
    home = _make_home(data_dir)
    users_lock = open_lock(home / "users.lock")
    try:
        acquire(users_lock, SHARED, _STOP_SECONDS, home)
        start_lock = open_lock(home / "start.lock")
        try:
            acquire(start_lock, EXCLUSIVE, _RECOVERY_SECONDS, home)
            socket_dir = _join_or_launch(home, durable, major)
        finally:
            os.close(start_lock)
        return Server(home, socket_dir, users_lock)
    except BaseException:
        os.close(users_lock)
        raise


def _make_home(data_dir: Path) -> Path:
    home = Path(os.path.abspath(data_dir)) / "database"  # noqa: PTH100 - links stay as the operator set them
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            "db.embedded.directory",
            f"The data directory cannot be made: {error.strerror}.",
            path=str(error.filename or home),
            remedy="Choose a directory that this user may write with SUYUAN_DATA_DIR or --data-dir.",
        ) from None
    return home


def _keeper_runs(home: Path) -> bool:
    return is_held(home / "keeper.lock")


def _stop_keeper(home: Path) -> None:
    if not _keeper_runs(home):
        return
    said = (home / "keeper.lock").read_text(encoding="ascii").split()
    if said:
        # The lock is held, so the number in it is the keeper's own.
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(said[0]), signal.SIGTERM)


def _join_or_launch(home: Path, durable: bool, major: int) -> str:
    if _keeper_runs(home):
        # It may be about to end, its server having crashed: then a new one is started.
        with contextlib.suppress(_ServerEnded):
            return _wait_ready(home)
    for pause in (0.0, 0.5, 2.0):
        time.sleep(pause)
        _launch(home, durable, major)
        try:
            return _wait_ready(home)
        except _ServerEnded:
            # Backends of a postmaster that was killed live on for a moment; PostgreSQL waits for no one.
            if "still in use" not in _log_tail(home):
                break
    raise _start_failure(home, "it ended at once")


class _ServerEnded(Exception):  # noqa: N818 - not an error: the caller starts another
    """Nobody keeps a server any more."""


def _launch(home: Path, durable: bool, major: int) -> None:
    cluster = home / "cluster"
    account = binaries.choose_account(cluster)
    installation = binaries.reachable_binaries(binaries.find_binaries(major), account)
    if not cluster.exists():
        make_cluster(home, installation, major, account)
    check_cluster(cluster, major, account)
    _end_orphan(cluster, home)
    settings = tuning.server_settings(home, durable=durable)
    socket_dir = make_socket_dir(home, account)
    settings |= {"port": str(wire.PORT), "unix_socket_directories": socket_dir}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    job = {
        "argv": [str(installation / "bin" / "postgres"), "-D", server_name_of(cluster, account), *options],
        "environment": server_environment(),
        "cluster": str(cluster),
        "account": None if account is None else [account.uid, account.gid],
        "users_lock": str(home / "users.lock"),
        "keeper_lock": str(home / "keeper.lock"),
        "socket_dir": socket_dir,
        "log": str(home / "server.log"),
    }
    _trim_log(home / "server.log")
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-S", keeper.__file__, json.dumps(job)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd="/",
        check=False,
    )
    answer = json.loads(said.stdout) if said.stdout else {"error": said.stderr.decode("utf-8", "replace")}
    if "error" in answer:
        raise _start_failure(home, str(answer["error"])[-500:])


def _end_orphan(cluster: Path, home: Path) -> None:
    """Stop a server whose keeper was killed, and clear away a pid file that nothing stands behind."""
    orphan = postmaster.find_postmaster(cluster)
    if orphan is not None:
        _stop_orphan(orphan.pid, cluster, home)
    postmaster.remove_stale_pid_file(cluster)


def _stop_orphan(pid: int, cluster: Path, home: Path) -> None:
    for how, seconds in ((keeper.FAST_SHUTDOWN, 30.0), (keeper.IMMEDIATE_SHUTDOWN, 30.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        with contextlib.suppress(UnavailableError):
            wait_until(
                lambda: postmaster.find_postmaster(cluster) is None, seconds, "db.embedded.orphan", home
            )
            return
    raise UnavailableError(
        "db.embedded.orphan",
        f"A server left over from before (process {pid}) does not stop.",
        path=str(cluster),
        remedy=f"Stop it with: kill -QUIT {pid}",
    )


def _wait_ready(home: Path) -> str:
    """The directory of the socket, once a connection succeeded and our database exists."""
    begun = time.monotonic()
    patience = _START_SECONDS
    while True:
        said = postmaster.read_pid_file(home / "cluster")
        waiting_for = "it did not open its socket"
        if said is not None and said.socket_dir:
            try:
                _make_database(said.socket_dir)
                return said.socket_dir
            except wire.ServerRefusal as refusal:
                waiting_for = str(refusal)
                if refusal.sqlstate == wire.STARTING_UP:
                    patience = _RECOVERY_SECONDS
            except OSError as error:
                waiting_for = str(error)
        if not _keeper_runs(home):
            raise _ServerEnded
        if time.monotonic() - begun > patience:
            raise _start_failure(home, waiting_for)
        time.sleep(_PAUSE_SECONDS)


def _make_database(socket_dir: str) -> None:
    with wire.Session(socket_dir, SUPERUSER, "postgres") as session:
        if not session.execute(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):  # noqa: S608
            try:
                session.execute(f"CREATE DATABASE {DATABASE}")
            except wire.ServerRefusal as refusal:
                if refusal.sqlstate != wire.DUPLICATE_DATABASE:
                    raise


def _trim_log(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.old"))


def _log_tail(home: Path) -> str:
    try:
        return " ".join(
            (home / "server.log").read_bytes()[-4000:].decode("utf-8", "replace").splitlines()[-4:]
        )
    except OSError:
        return ""


def _start_failure(home: Path, reason: str) -> UnavailableError:
    return UnavailableError(
        "db.embedded.start",
        f"The embedded database did not start ({reason.strip()}). {_log_tail(home)}",
        path=str(home / "server.log"),
        remedy="The last lines of its log say why. Or set SUYUAN_DATABASE_URL to a server of your own.",
    )
