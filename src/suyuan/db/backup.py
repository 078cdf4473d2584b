"""The rows of all tables out of one snapshot, and into an empty database, by COPY through the driver.

Not pg_dump: the embedded one speaks no TLS and is not there on every system, a dump carries owners and roles that
differ elsewhere, and one made by a newer version is not read by an older server. Here the schema comes from the
migrations, which are known and checksummed, and only rows travel; so a backup of any server from 15 to 18 goes into
any other, and into a later version of Suyuan.

Writers are never blocked. The snapshot holds back the cleaning up of dead rows for as long as the copy takes.
Sequences are read after the rows: they may be ahead of them, never behind.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import date
from typing import TypeAlias

import asyncpg
import msgspec

from suyuan.db.archive import Applied, ArchiveReader, ArchiveWriter, Progress, TablePart
from suyuan.db.migrate import Migration, migrate, read_migrations
from suyuan.db.partitions import ensure_partitions
from suyuan.db.pool import Connection, sql
from suyuan.errors import ConflictError, IntegrityError, UnavailableError

_MONTH = re.compile(r"_y(\d{4})m(\d{2})$")
_COPIED = re.compile(r"COPY (\d+)")
# Seconds for one table, whatever the driver's usual patience is.
_PATIENCE = 7 * 24 * 3600.0
# No deployment that anybody has used is without rows in one of these.
_TELLING = ("party", "evidence", "event", "log_checkpoint", "erasure_journal", "vault_subject", "code_batch")


# The rows of each table that is not empty when nothing but the migrations was there.
MadeByMigrations: TypeAlias = dict[str, list[asyncpg.Record]]


class _Table(msgspec.Struct, frozen=True):
    name: str
    columns: tuple[str, ...]
    refers_to: tuple[str, ...]
    partitions: tuple[str, ...]
    protected: bool
    size: int


async def begin_snapshot(conn: Connection) -> None:
    """Nothing of the database's own patience ends a copy. To be called inside a ``repeatable_read`` transaction."""
    await conn.execute("SET LOCAL statement_timeout = 0")
    await conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


async def applied_migrations(conn: Connection) -> tuple[Applied, ...]:
    """What the schema of this database consists of."""
    rows = await conn.fetch("SELECT number, name, checksum FROM schema_migration ORDER BY number")
    return tuple(Applied(row["number"], row["name"], row["checksum"]) for row in rows)


async def copy_out(
    conn: Connection, archive: ArchiveWriter, progress: Progress | None = None
) -> tuple[TablePart, ...]:
    """Write every table of the snapshot of ``conn``'s transaction, parents before those that refer to them."""
    parts = []
    for table in _ordered(await _tables(conn)):
        with archive.part(f"tables/{table.name}") as part:

            async def take(data: bytes, table: _Table = table) -> None:
                part.write(data)
                if progress is not None:
                    progress(table.name, part.size, table.size)

            said = await conn.copy_from_query(_select(table), output=take, format="binary", timeout=_PATIENCE)
        rows = int(_COPIED.fullmatch(said)[1])  # type: ignore[index]
        months = tuple(f"{m[1]}-{m[2]}" for name in table.partitions if (m := _MONTH.search(name)))
        parts.append(
            TablePart(
                name=table.name,
                columns=table.columns,
                rows=rows,
                size=part.size,
                sha256=part.sha256,
                months=months,
            )
        )
    return tuple(parts)


def _select(table: _Table) -> str:
    columns = ", ".join(map(_quoted, table.columns))
    return f"SELECT {columns} FROM {_quoted(table.name)}"  # noqa: S608 - names come from the catalogue, quoted


async def read_sequences(conn: Connection) -> dict[str, int]:
    """The last value of each sequence, to be read after the rows."""
    rows = await conn.fetch(sql(__package__, "list_sequences"))
    return {row["name"]: row["last_value"] for row in rows}


async def _tables(conn: Connection) -> list[_Table]:
    rows = await conn.fetch(sql(__package__, "list_tables"))
    return [msgspec.convert(dict(row), _Table) for row in rows]


def _ordered(tables: Iterable[_Table]) -> list[_Table]:
    waiting = {table.name: table for table in tables}
    ordered: list[_Table] = []
    while waiting:
        ready = [table for table in waiting.values() if not waiting.keys() & set(table.refers_to)]
        # Tables that refer to each other in a circle have no order; a load then says which key fails.
        for table in ready or [next(iter(waiting.values()))]:
            ordered.append(waiting.pop(table.name))
    return ordered


def schema_of(applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """The migrations that make the schema of a backup.

    Raises ``UnavailableError`` (``backup.schema``) where it has some that this version does not know as they were.
    """
    known = {migration.number: migration for migration in read_migrations()}
    for one in applied:
        if one.number not in known or known[one.number].checksum != one.checksum:
            raise UnavailableError(
                "backup.schema",
                f"The backup has a schema that this version does not know: {one.number:04d}_{one.name}.",
                remedy="Restore with the version of Suyuan that made the backup, or a later one.",
            )
    wanted = {one.number for one in applied}
    return tuple(known[number] for number in sorted(wanted))


async def check_vacant(conn: Connection) -> None:
    """Refuse a database that holds a deployment. Raises ``ConflictError`` (``backup.target``)."""
    for name in _TELLING:
        there = await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", name)
        if there and await conn.fetchval(f"SELECT EXISTS (SELECT FROM {_quoted(name)})"):  # noqa: S608
            raise ConflictError(
                "backup.target",
                "This database holds a deployment already; a restore never overwrites one.",
                path=name,
                remedy="Name an empty database in SUYUAN_DATABASE_URL, or another --data-dir.",
            )


async def load(
    conn: Connection,
    archive: ArchiveReader,
    progress: Progress | None = None,
    *,
    without: Collection[str] = (),
) -> MadeByMigrations:
    """Make the schema of the backup in an empty database and load every row, in one transaction; what ``unload`` needs.

    Tables named in ``without`` stay as they are.
    Raises ``ConflictError`` (``backup.target``), ``UnavailableError`` (``backup.schema``) and ``IntegrityError``
    (``backup.corrupt``, ``backup.rows``); then the database has the schema and no rows.
    """
    await check_vacant(conn)
    await migrate(conn, schema_of(archive.manifest.migrations))
    async with conn.transaction():
        await begin_snapshot(conn)
        found = {table.name: table for table in await _tables(conn)}
        made = {name: rows for name in found if (rows := await conn.fetch(f"SELECT * FROM {_quoted(name)}"))}  # noqa: S608
        for part in archive.manifest.tables:
            if part.name in without:
                continue
            table = found.get(part.name)
            if table is None or not set(part.columns) <= set(table.columns):
                raise IntegrityError(
                    "backup.corrupt",
                    "The backup holds a table that its own schema does not have.",
                    path=part.member,
                    remedy="Take another backup. Nothing was restored from this one.",
                )
            for month in part.months:
                await ensure_partitions(
                    conn, part.name, months_ahead=0, today=date.fromisoformat(f"{month}-01")
                )
            await _load_table(conn, archive, part, table, progress)
        for name, last in archive.manifest.sequences.items():
            await conn.execute("SELECT setval(to_regclass($1), $2)", _quoted(name), last)
    await conn.execute("ANALYZE", timeout=_PATIENCE)
    return made


async def unload(conn: Connection, archive: ArchiveReader, made: MadeByMigrations) -> None:
    """Take back what ``load`` put into a database that was empty: it is again as its migrations made it."""
    async with conn.transaction():
        found = {table.name: table for table in await _tables(conn)}
        tables = [found[part.name] for part in archive.manifest.tables if part.name in found]
        protected = [name for table in tables if table.protected for name in (table.name, *table.partitions)]
        for name in protected:
            await conn.execute(f"ALTER TABLE ONLY {_quoted(name)} DISABLE TRIGGER forbid_truncate")
        await conn.execute(
            "TRUNCATE " + ", ".join(_quoted(table.name) for table in tables) + " RESTART IDENTITY"
        )
        for name in protected:
            await conn.execute(f"ALTER TABLE ONLY {_quoted(name)} ENABLE ALWAYS TRIGGER forbid_truncate")
        for name, rows in made.items():
            columns = list(rows[0].keys())
            await conn.copy_records_to_table(name, records=[tuple(row) for row in rows], columns=columns)


async def _load_table(
    conn: Connection, archive: ArchiveReader, part: TablePart, table: _Table, progress: Progress | None
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        done = 0
        for chunk in archive.chunks(part):
            done += len(chunk)
            if progress is not None:
                progress(part.name, done, part.size)
            yield chunk

    target, name = part.name, _quoted(part.name)
    if await conn.fetchval(f"SELECT EXISTS (SELECT FROM {name})"):  # noqa: S608
        # Rows that a migration made: the backup's count. What may not be deleted is met again in the backup.
        if table.protected:
            target = "restoring"
            await conn.execute(f"CREATE TEMP TABLE restoring (LIKE {name} INCLUDING DEFAULTS)")
        else:
            await conn.execute(f"DELETE FROM {name}")  # noqa: S608
    try:
        said = await conn.copy_to_table(
            target, source=chunks(), columns=list(part.columns), format="binary", timeout=_PATIENCE
        )
        if target != part.name:
            columns = ", ".join(map(_quoted, part.columns))
            await conn.execute(
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM restoring ON CONFLICT DO NOTHING"  # noqa: S608
            )
            await conn.execute("DROP TABLE restoring")
    except (
        asyncpg.DataError,
        asyncpg.IntegrityConstraintViolationError,
        asyncpg.ProtocolViolationError,
    ) as error:
        raise IntegrityError(
            "backup.rows",
            f"The database refuses rows of the backup ({type(error).__name__}).",
            path=part.member,
            remedy="Take another backup, and report this one: it was whole and could not be loaded.",
        ) from error
    if said != f"COPY {part.rows}":
        raise IntegrityError(
            "backup.rows",
            f"{part.rows} rows were to be loaded, and the database says {said}.",
            path=part.member,
            remedy="Take another backup, and report this one.",
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
