"""Forward-only migrations: numbered SQL files, applied once each, in order.

- A file is ``NNNN_name.sql``. Once applied anywhere it never changes: its checksum is recorded, and a
  database whose record differs from the files is refused before anything is done.
- Each file is one transaction, together with its record: a file is applied whole or not at all.
- Any number of processes may start at once; an advisory lock lets one migrate while the others wait.
- There is no way back. A mistake is corrected by the next file.

A database that holds migrations unknown to this code is refused as well: an old program must not write into
a newer schema.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import re
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg
import msgspec

from suyuan.db.partitions import ensure_all_partitions
from suyuan.db.pool import Connection, open_pool
from suyuan.errors import IntegrityError, UnavailableError

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
# Any constant; it names this lock among the advisory locks of the database.
_LOCK = 0x5375_7975_616E
_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Migration(msgspec.Struct, frozen=True):
    """One file: its number, its name and its text."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text (hexadecimal), line ends and trailing blanks aside, which tools change."""
        lines = (line.rstrip() for line in self.text.splitlines())
        return hashlib.sha256("\n".join(lines).rstrip().encode()).hexdigest()


def read_migrations(directory: Path | None = None) -> tuple[Migration, ...]:
    """The migrations of ``directory`` (the package's own by default), in order.

    Raises ``IntegrityError`` (``db.migration.name``, ``db.migration.number``) for a file that is not named
    ``NNNN_name.sql`` or a number that is missing or used twice.
    """
    folder: Traversable = (
        importlib.resources.files("suyuan.db") / "migrations" if directory is None else directory
    )
    found: list[Migration] = []
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        named = _FILE.fullmatch(file.name)
        if named is None:
            raise IntegrityError(
                "db.migration.name",
                f"{file.name} is not the name of a migration.",
                path=file.name,
                remedy="Name it NNNN_name.sql.",
            )
        found.append(Migration(int(named[1]), named[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    for position, migration in enumerate(found):
        if migration.number != found[0].number + position:
            raise IntegrityError(
                "db.migration.number",
                f"Migration {found[0].number + position:04d} is missing, or a number is used twice.",
                path=f"{migration.number:04d}_{migration.name}.sql",
                remedy="Number the files without gaps.",
            )
    return tuple(found)


async def migrate(connection: Connection, migrations: Sequence[Migration] | None = None) -> list[int]:
    """Bring the database up to date and return the numbers that were applied now.

    Waits while another process migrates. Raises ``IntegrityError`` (``db.migration.changed``,
    ``db.migration.ahead``, ``db.migration.failed``); then nothing of the file at fault was kept.
    """
    migrations = read_migrations() if migrations is None else migrations
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=3600)
    try:
        await connection.execute(_RECORD)
        applied = await _check(connection, migrations)
        done = []
        for migration in migrations:
            if migration.number not in applied:
                await _apply(connection, migration)
                done.append(migration.number)
        return done
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def prepare(dsn: str) -> list[int]:
    """Migrate the database of ``dsn`` and make the partitions of the months to come: what every start does.

    Returns the numbers of the migrations applied now. Raises ``UnavailableError`` (``db.unreachable``,
    ``db.refused``) and what ``migrate`` raises.
    """
    async with open_pool(dsn, size=1) as pool, pool.acquire() as connection:
        done = await migrate(connection)
        await ensure_all_partitions(connection, months_back=1)
        return done


async def check_current(connection: Connection, migrations: Sequence[Migration] | None = None) -> None:
    """Refuse a database that is not exactly at the version of this code, and change nothing.

    Raises ``UnavailableError`` (``db.migration.behind``) or ``IntegrityError`` as ``migrate`` does.
    """
    migrations = read_migrations() if migrations is None else migrations
    exists = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
    applied = await _check(connection, migrations) if exists else set()
    if missing := [migration for migration in migrations if migration.number not in applied]:
        raise UnavailableError(
            "db.migration.behind",
            f"The database lacks {len(missing)} migrations, the first is {missing[0].name}.",
            remedy="Run suyuan migrate.",
        )


async def _check(connection: Connection, migrations: Sequence[Migration]) -> set[int]:
    known = {migration.number: migration for migration in migrations}
    applied = set()
    for row in await connection.fetch("SELECT number, name, checksum FROM schema_migration ORDER BY number"):
        name = f"{row['number']:04d}_{row['name']}.sql"
        migration = known.get(row["number"])
        if migration is None:
            raise IntegrityError(
                "db.migration.ahead",
                "The database was migrated by a newer version of Suyuan.",
                path=name,
                remedy="Run that version or a later one.",
            )
        if migration.checksum != row["checksum"]:
            raise IntegrityError(
                "db.migration.changed",
                "A migration that was applied to this database is no longer what it was.",
                path=name,
                remedy="Put the file back as it was, and write the change as a new migration.",
            )
        applied.add(migration.number)
    return applied


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.text, timeout=None)
            await connection.execute(
                "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        hint = getattr(error, "hint", None)
        raise IntegrityError(
            "db.migration.failed",
            f"The migration failed and was undone: {error}",
            path=f"{migration.number:04d}_{migration.name}.sql",
            remedy=hint or "Correct the cause and migrate again.",
        ) from error
