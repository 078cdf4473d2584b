"""The files of the embedded server: made, checked, and the directory of its socket."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from suyuan.db.binaries import Account, binaries_for_nameless, has_name
from suyuan.errors import UnavailableError

SUPERUSER = "suyuan"
# sun_path less the longest name of the socket's lock file; macOS has the shorter field.
_SOCKET_PATH_BYTES = 103
_SOCKET_NAME = ".s.PGSQL.5432.lock"
_FIRST_MAJOR_WITH_BUILTIN_LOCALE = 17


def server_environment() -> dict[str, str]:
    """The environment of the server's programs: PGPORT, PGDATA and their like must not reach them."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def server_name_of(cluster: Path, account: Account | None) -> str:
    """How the server is told its directory.

    An account to which we drop may be unable to walk to it by name (a project below /root). It is started
    inside the directory instead, and this name then leads where it already is, without walking.
    """
    if account is None or sys.platform != "linux":
        return str(cluster)
    return "/proc/self/cwd"


def make_cluster(home: Path, installation: Path, major: int, account: Account | None) -> None:
    """Run initdb in a folder beside and move it into place: ``home/cluster`` is there whole or not at all.

    Raises ``UnavailableError`` (``db.embedded.initdb``).
    """
    for left_over in (*home.glob("cluster.new-*"), *home.glob("programs-*")):
        shutil.rmtree(left_over)
    fresh = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=home))
    programs: Path | None = None
    if not has_name(os.geteuid() if account is None else account.uid):
        programs = Path(tempfile.mkdtemp(prefix="programs-", dir=home))
        programs.chmod(0o755)
        installation = binaries_for_nameless(installation, programs)
    as_whom: dict[str, Any] = {}
    if account is not None:
        os.chown(fresh, account.uid, account.gid)
        as_whom = {"user": account.uid, "group": account.gid, "extra_groups": []}
    arguments = [
        f"--pgdata={server_name_of(fresh, account)}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C",
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-instructions",
    ]
    if major >= _FIRST_MAJOR_WITH_BUILTIN_LOCALE:
        # Order and case of text do not depend on the machine's C library, which may lack C.UTF-8.
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(  # noqa: S603
        [installation / "bin" / "initdb", *arguments],
        cwd=fresh,
        env=server_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        **as_whom,
    )
    if programs is not None:
        shutil.rmtree(programs)
    if made.returncode != 0:
        reason = made.stderr.decode("utf-8", "replace").strip()[-800:]
        shutil.rmtree(fresh, ignore_errors=True)
        raise UnavailableError(
            "db.embedded.initdb",
            f"The database files could not be made: {reason}",
            path=str(home),
            remedy="Free disk space or choose another data directory. Or set SUYUAN_DATABASE_URL.",
        )
    fresh.rename(home / "cluster")
    _sync_directory(home)


def check_cluster(cluster: Path, major: int, account: Account | None) -> None:
    """Refuse files of another version (``db.embedded.version``); give root's own files to ``account``.

    Root's files inside the cluster come from a restore that root made: they are ours to give.
    """
    try:
        found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError:
        found = "unknown"
    if found != str(major):
        raise UnavailableError(
            "db.embedded.version",
            f"The database files are of PostgreSQL {found}; the embedded server is {major}.",
            path=str(cluster),
            remedy="Restore a backup into a new data directory, or run the server that made these files"
            " and set SUYUAN_DATABASE_URL.",
        )
    if account is not None and cluster.stat().st_uid == 0:
        for folder, folders, files in os.walk(cluster):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, account.uid, account.gid, follow_symlinks=False)
        os.chown(cluster, account.uid, account.gid)


def make_socket_dir(home: Path, account: Account | None) -> str:
    """A directory for the socket: short, ours alone, closed to others. The same data gets the same name.

    A name in /tmp may have been taken by somebody else, who could then pose as our server: such a directory
    is never used. Only to be called while no server of ``home`` runs. Raises ``UnavailableError``
    (``db.embedded.socket``).
    """
    owner = os.geteuid() if account is None else account.uid
    name = "suyuan-" + hashlib.sha256(f"{owner}\0{home}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    # A failed attempt says which place was the obstacle.
    obstacle = ""
    for base in dict.fromkeys(("/tmp", os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir())):  # noqa: S108
        if not base or len(os.fsencode(f"{base}/{name}-12345678/{_SOCKET_NAME}")) > _SOCKET_PATH_BYTES:
            continue
        path = Path(base) / name
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
            if not _is_private(path, owner):
                path = Path(tempfile.mkdtemp(prefix=name + "-", dir=base))
            for left_over in path.iterdir():
                # A killed server leaves its socket and the socket's lock file; the pid in that one proves
                # as little as any other, and would keep the next server from starting.
                left_over.unlink()
            if account is not None:
                os.chown(path, account.uid, account.gid)
        except OSError as error:
            obstacle = f"{base}: {error.strerror}"
            continue
        return str(path)
    raise UnavailableError(
        "db.embedded.socket",
        f"No directory for the database's socket could be made ({obstacle}).",
        remedy="Make /tmp writable, or set TMPDIR to a short path.",
    )


def _is_private(path: Path, owner: int) -> bool:
    found = path.lstat()
    ours = found.st_uid in (owner, os.geteuid())
    return stat.S_ISDIR(found.st_mode) and ours and not found.st_mode & 0o077


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
