"""Connections, transactions and the text of statements.

Values cross as asyncpg gives them: ``jsonb`` as text (it is for queries, never the source of a proof),
``bytea`` as bytes, ``timestamptz`` as aware datetimes in UTC, ``numeric`` as Decimal.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.resources
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from suyuan.errors import UnavailableError

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Isolation: TypeAlias = Literal["read_committed", "repeatable_read", "serializable"]
T = TypeVar("T")

# The database undid the whole transaction and says that the same one may succeed now.
RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.005
_CONNECT_SECONDS = 10.0
# One snapshot, nothing written, and one plan a statement for as long as the connection lives: without the last the
# server plans a query over monthly partitions anew each time, which takes longer than to run it.
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan"
_UNREACHABLE = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, TimeoutError)
_SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "application_name": "suyuan",
    # A client that vanished in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "600000",
}


if TYPE_CHECKING:
    _Base = asyncpg.Connection[asyncpg.Record]
else:
    _Base = asyncpg.Connection  # generic for checkers only


class _Session(_Base):
    """A connection that knows whether its present user can have left anything in the session."""

    __slots__ = ("_only_read",)

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._only_read = False

    def note_only_read(self) -> None:
        """Its user did nothing but read in one transaction, which is over."""
        self._only_read = True

    async def tidy(self) -> None:
        """Forget what a user may have set or locked, before the next one gets the connection."""
        if not self._only_read:
            await self.execute(self.get_reset_query())
        self._only_read = False


async def _tidy(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    assert isinstance(connection, _Session)
    await connection.tidy()


async def create_pool(dsn: str, *, size: int = 10, command_timeout: float | None = 60.0) -> Pool:
    """A pool of at most ``size`` connections; one is made now, so that a wrong DSN shows at once.

    ``command_timeout`` in seconds bounds each statement. Raises ``UnavailableError`` (``db.unreachable``,
    ``db.refused``); the DSN, which may hold a password, is never part of the message.
    """
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_SECONDS,
            command_timeout=command_timeout,
            statement_cache_size=512,
            # Statements are few and fixed: planned once, kept as long as the connection.
            max_cached_statement_lifetime=0,
            max_inactive_connection_lifetime=300.0,
            connection_class=_Session,
            reset=_tidy,
            server_settings=_SESSION,
        )
    except _UNREACHABLE as error:
        raise UnavailableError(
            "db.unreachable",
            f"The database does not answer ({type(error).__name__}).",
            remedy="Check that the server runs and that SUYUAN_DATABASE_URL names it.",
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise UnavailableError(
            "db.refused",
            f"The database refuses the connection ({type(error).__name__}).",
            remedy="Check user, password and database name in SUYUAN_DATABASE_URL.",
        ) from error


@contextlib.asynccontextmanager
async def open_pool(dsn: str, *, size: int = 10) -> AsyncIterator[Pool]:
    """A pool for the length of a block; at its end running statements are waited for."""
    pool = await create_pool(dsn, size=size)
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), 10)
        except TimeoutError:
            pool.terminate()


@contextlib.asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in a read-only transaction that sees one snapshot throughout, for the length of the block.

    Its statements are planned once a connection. That suits what finds rows by keys; a statement whose best plan
    depends on its values (a pattern, a range that may be all) is better asked elsewhere.
    """
    async with pool.acquire() as connection:
        await connection.execute(_READ)
        try:
            yield connection
        finally:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
                connection.note_only_read()  # type: ignore[attr-defined] # the proxy hands it on


@contextlib.asynccontextmanager
async def glancing(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for single queries, each with a snapshot of its own, for the length of the block.

    Whoever has it only selects: nothing is set or locked, so that nothing has to be forgotten afterwards.
    """
    async with pool.acquire() as connection:
        yield connection
        connection.note_only_read()  # type: ignore[attr-defined] # the proxy hands it on


async def transaction(
    pool: Pool,
    work: Callable[[Connection], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    readonly: bool = False,
    attempts: int = ATTEMPTS,
) -> T:
    """What ``work`` returns, after its transaction was committed.

    ``work`` is run again from the start, after a growing random pause, when the database undid it for a
    serialisation failure or a deadlock; it must have no effect outside the connection. A connection lost
    while committing is *not* retried: nobody knows whether it was committed. Raises ``UnavailableError``
    (``db.contended``) after ``attempts``.
    """
    for attempt in range(attempts):
        try:
            async with (
                pool.acquire() as connection,
                connection.transaction(isolation=isolation, readonly=readonly),
            ):
                result = await work(connection)
        except RETRIED:
            await asyncio.sleep(random.uniform(0.5, 1.5) * _FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311
        else:
            return result
    raise UnavailableError(
        "db.contended",
        f"The database undid this transaction {attempts} times in favour of others.",
        remedy="Try again in a moment.",
    )


@functools.cache
def sql(package: str, name: str) -> str:
    """The statement in ``name.sql`` beside the code of ``package`` (or in its folder ``sql``), read once.

    Called as ``sql(__package__, "insert_event")``. A missing file is a mistake in the code and raises
    ``FileNotFoundError``.
    """
    folder = importlib.resources.files(package)
    for file in (folder / f"{name}.sql", folder / "sql" / f"{name}.sql"):
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
    raise FileNotFoundError(f"{package} has no {name}.sql")
