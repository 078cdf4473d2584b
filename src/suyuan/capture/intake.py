"""Taking papers in: read, prepare, store; small ones share a transaction, each keeps its own fate.

A paper is acknowledged after its transaction was committed. Papers that arrive while a commit is under way are
gathered and committed together (group commit), written with one set of statements for all of them. What can be
refused is known before anything is written, and leaves the neighbours alone; where the database refuses the group
all the same, its papers are stored one by one. A large paper has a transaction of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from suyuan.canon import base32_text
from suyuan.capture.evidence import Paper, evidence_identity
from suyuan.capture.long_papers import WORKBOOK, LongPaper, notes_of, read_through, store_long
from suyuan.capture.mapped_scans import with_stored_mapping
from suyuan.capture.paper import MAX_PAPER_BYTES, read_paper, refuse_large
from suyuan.capture.prepare import Deliverer, PreparedEvent, prepare_all
from suyuan.capture.signers import told, with_signature
from suyuan.capture.sources import Source, source_of
from suyuan.capture.store import Filed, Stored, store_papers
from suyuan.db.partitions import ensure_partitions
from suyuan.db.pool import Connection, Pool, transaction
from suyuan.epcis.long_documents import HEAD_BYTES
from suyuan.epcis.reading import DerivedEvent, Reading, Warning_
from suyuan.errors import ConflictError, InputError, SuyuanError, UnavailableError
from suyuan.vault import Vault

SMALL_EVENTS = 64
GROUP_PAPERS = 64
GROUPS_AT_ONCE = 2
THREAD_BYTES = 64 * 1024
LONG_BYTES = 4 * 1024 * 1024
# A workbook is packed: so many bytes of it may be tens of thousands of rows.
LONG_WORKBOOK_BYTES = 512 * 1024
# So many long papers are read and written at a time in one process; each holds a connection and some batches. Of
# those that cannot be read in batches, and are held whole, there may be as many beside them.
LONG_AT_ONCE = 2
# With proceed, so many events of one long paper may contradict what is stored before all of it is refused.
MAX_CONFLICTS = 20
_ATTEMPTS = 5
# What one paper of a group can bring on all of them. A lost connection is not among it: nobody knows then what
# was committed.
_ONE_BY_ONE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, SuyuanError, ValueError)
# A personal value shorter than this says nothing in a file's name.
_TELLING = 4


class _Waiting(msgspec.Struct, frozen=True):
    paper: Paper
    deliverer: Deliverer
    done: asyncio.Future[Stored]


class Capture:
    """The capture service of one process. ``close`` waits for what was accepted."""

    def __init__(self, pool: Pool, vault: Vault, evidence_key: bytes) -> None:
        """``evidence_key`` keys the digests by which repeats of a paper are known (32 secret bytes)."""
        self._pool = pool
        self._vault = vault
        self._key = evidence_key
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(maxsize=4096)
        self._workers: list[asyncio.Task[None]] = []
        self._long = asyncio.Semaphore(LONG_AT_ONCE)
        self._whole = asyncio.Semaphore(LONG_AT_ONCE)

    # -- the door -----------------------------------------------------------------------------------------

    async def submit(
        self, given: bytes | Source, deliverer: Deliverer, *, name: str = "", mapping: str = ""
    ) -> Stored:
        """Take one paper in and return what became of it, after it was committed.

        A long EPCIS document, and a long sheet whose rows are events, is read and stored in batches; the bytes may lie
        in a file (``Source``). Scans in a shape of the deliverer's own are read by the mapping that it stored: the one
        that is named, else the one that they fit.

        Raises ``SuyuanError`` for a paper that is refused (the database is then as it was) and
        ``UnavailableError`` (``capture.overloaded``) when more waits than this process should hold.
        """
        given, notes = await with_stored_mapping(self._pool, given, deliverer.party_id, mapping)
        size = len(given) if isinstance(given, bytes) else given.size
        packed = isinstance(given, bytes) and given.startswith(WORKBOOK)
        if size > (LONG_WORKBOOK_BYTES if packed else LONG_BYTES):
            source = await asyncio.to_thread(source_of, given) if isinstance(given, bytes) else given
            stored = await self.submit_long(source, deliverer, name=name, sheets=True, notes=notes)
            if stored is not None:
                return stored
            refuse_large(await asyncio.to_thread(source.head, HEAD_BYTES), size, name)
            async with self._whole:
                data = given if isinstance(given, bytes) else await asyncio.to_thread(given.whole)
                return await self._submit_whole(data, deliverer, name, notes)
        data = given if isinstance(given, bytes) else await asyncio.to_thread(given.whole)
        return await self._submit_whole(data, deliverer, name, notes)

    async def _submit_whole(
        self, data: bytes, deliverer: Deliverer, name: str, notes: Sequence[Warning_]
    ) -> Stored:
        deliverer = await with_signature(self._pool, data, deliverer)
        if len(data) > THREAD_BYTES:
            paper = await asyncio.to_thread(self.prepare, data, deliverer, name, notes)
        else:
            paper = self.prepare(data, deliverer, name, notes)
        if len(paper.events) > SMALL_EVENTS:
            return await self._store_alone(paper, deliverer)
        return await self._enqueue(paper, deliverer)

    async def submit_long(
        self,
        source: Source,
        deliverer: Deliverer,
        *,
        name: str = "",
        proceed: bool = False,
        sheets: bool = False,
        notes: Sequence[Warning_] = (),
    ) -> Stored | None:
        """Take a long document in, in batches, in bounded memory. None where it is of no kind that is read so.

        With ``sheets`` also a sheet whose rows are events; ``notes`` are told with it. With ``proceed`` events that are
        refused are left out and noted. Raises as ``submit``.
        """
        if source.size > MAX_PAPER_BYTES:
            return None
        async with self._long:
            survey = await asyncio.to_thread(read_through, source, sheets=sheets, proceed=proceed)
            if survey is None:
                return None
            salt = secrets.token_bytes(32)
            paper = LongPaper(
                source=source,
                survey=survey,
                # A file is called after an order, which is in it; what is in it is not kept to be compared.
                name="" if survey.wanted else name.replace("\0", "")[:200],
                identity=evidence_identity(self._key, deliverer.party_id, source.digest),
                capture_id=base32_text(secrets.token_bytes(15)),
                salt=salt,
                digest=await asyncio.to_thread(source.salted_digest, salt),
                notes=tuple(notes),
            )
            if not proceed:
                return await self._store_long(paper, deliverer)
            return await self._store_what_holds(paper, deliverer)

    async def _store_long(self, paper: LongPaper, deliverer: Deliverer) -> Stored:
        def prepare(events: Sequence[DerivedEvent], kind: str) -> list[PreparedEvent]:
            return self.prepare_events(events, deliverer, kind)

        async def work(conn: Connection) -> Stored:
            return await store_long(conn, self._vault, paper, deliverer.party_id, prepare, datetime.now(UTC))

        return await self._attempt(work)

    async def _store_what_holds(self, paper: LongPaper, deliverer: Deliverer) -> Stored:
        refused = list(paper.survey.refused)
        while True:
            left_out = frozenset(error.path for error in refused)
            attempt = msgspec.structs.replace(paper, left_out=left_out, notes=notes_of(refused))
            try:
                return await self._store_long(attempt, deliverer)
            except (ConflictError, InputError) as error:
                if error.path in left_out or len(refused) >= len(paper.survey.refused) + MAX_CONFLICTS:
                    raise
                refused.append(error)

    async def submit_events(
        self, conn: Connection, reading: Reading, data: bytes, deliverer: Deliverer, *, name: str
    ) -> Stored:
        """Store events that a command of ours states, inside the command's own transaction."""
        paper = self._prepared(data, reading, deliverer, name)
        return await self._store(conn, paper, deliverer)

    def prepare(
        self, data: bytes, deliverer: Deliverer, name: str = "", notes: Sequence[Warning_] = ()
    ) -> Paper:
        """Read and prepare one paper without storing anything; ``notes`` are told with it. Raises ``SuyuanError``."""
        reading = told(read_paper(data, name=name), deliverer)
        if notes:
            reading = msgspec.structs.replace(reading, warnings=(*notes, *reading.warnings))
        return self._prepared(data, reading, deliverer, name)

    def _prepared(self, data: bytes, reading: Reading, deliverer: Deliverer, name: str) -> Paper:
        return Paper(
            data=data,
            name=_impersonal(name, data, reading)[:200],
            reading=reading,
            events=self.prepare_events(reading.events, deliverer, reading.kind),
            identity=evidence_identity(self._key, deliverer.party_id, hashlib.sha256(data).digest()),
            capture_id=base32_text(secrets.token_bytes(15)),
            salt=secrets.token_bytes(32),
        )

    def prepare_events(
        self, events: Sequence[DerivedEvent], deliverer: Deliverer, kind: str
    ) -> list[PreparedEvent]:
        """Prepare events as this deployment would store them."""
        return prepare_all(events, deliverer, kind=kind, pseudonym=self._vault.pseudonym)

    # -- storing ------------------------------------------------------------------------------------------

    async def _store(self, conn: Connection, paper: Paper, deliverer: Deliverer) -> Stored:
        [result] = await self._store_all(conn, [Filed(paper, deliverer.party_id)])
        if isinstance(result, ConflictError):
            raise result
        return result

    async def _store_all(self, conn: Connection, filed: Sequence[Filed]) -> list[Stored | ConflictError]:
        return await store_papers(conn, self._vault, filed, datetime.now(UTC))

    async def _store_alone(self, paper: Paper, deliverer: Deliverer) -> Stored:
        return await self._attempt(lambda conn: self._store(conn, paper, deliverer))

    async def _attempt(self, work: Callable[[Connection], Awaitable[Stored]]) -> Stored:
        for _ in range(_ATTEMPTS):
            try:
                return await transaction(self._pool, work)
            except asyncpg.UniqueViolationError:
                # The same party's twin of an event was committed by another process a moment ago;
                # read again, it is a repeat.
                continue
            except asyncpg.CheckViolationError as error:
                await self._make_partition(error)
        raise UnavailableError(
            "capture.contended",
            "Other captures of the same events kept getting in the way.",
            remedy="Send the paper again in a moment; nothing of it was stored.",
        )

    async def _make_partition(self, error: asyncpg.CheckViolationError) -> None:
        """A month has begun for which no partition was made ahead: make it, or let the error be seen."""
        if "no partition" not in str(error):
            raise error
        async with self._pool.acquire() as conn:
            await ensure_partitions(conn, "thing_event")

    # -- group commit -------------------------------------------------------------------------------------

    async def _enqueue(self, paper: Paper, deliverer: Deliverer) -> Stored:
        self._workers = [worker for worker in self._workers if not worker.done()]
        while len(self._workers) < GROUPS_AT_ONCE:
            self._workers.append(asyncio.create_task(self._work()))
        waiting = _Waiting(paper, deliverer, asyncio.get_running_loop().create_future())
        try:
            self._waiting.put_nowait(waiting)
        except asyncio.QueueFull:
            raise UnavailableError(
                "capture.overloaded",
                "More papers wait than this process should hold.",
                remedy="Send the paper again in a second.",
            ) from None
        return await waiting.done

    async def _work(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < GROUP_PAPERS and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                await self._store_group(group)
            finally:
                for _ in group:
                    self._waiting.task_done()

    async def _store_group(self, group: list[_Waiting]) -> None:
        filed = [Filed(waiting.paper, waiting.deliverer.party_id) for waiting in group]
        results: Sequence[Stored | BaseException]
        try:
            if len(group) == 1:
                results = [await self._store_alone(group[0].paper, group[0].deliverer)]
            else:
                results = await transaction(self._pool, lambda conn: self._store_all(conn, filed))
        except _ONE_BY_ONE as error:
            # One of them cannot be stored, and the database does not say which.
            alone = len(group) == 1
            results = [error] if alone else [await self._alone_or_error(waiting) for waiting in group]
        except Exception as error:
            results = [error] * len(group)
        for waiting, result in zip(group, results, strict=True):
            _answer(waiting.done, result)

    async def _alone_or_error(self, waiting: _Waiting) -> Stored | BaseException:
        try:
            return await self._store_alone(waiting.paper, waiting.deliverer)
        except Exception as error:
            return error

    async def close(self) -> None:
        """Stop the group workers after everything that was accepted is stored."""
        await self._waiting.join()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)


def _impersonal(name: str, data: bytes, reading: Reading) -> str:
    """The paper's name without what the paper itself says is personal: files are called after orders."""
    for field in reading.personal:
        value = data[field.start : field.end].decode("utf-8", "replace").strip()
        if len(value) >= _TELLING and value in name:
            name = name.replace(value, "…")
    return name.replace("\0", "")


def _answer(done: asyncio.Future[Stored], result: Stored | BaseException) -> None:
    """Give the waiting caller its result, unless it went away meanwhile."""
    if done.done():
        return
    if isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)
