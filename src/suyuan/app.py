"""Composition: the rooms put together for one process, from its settings.

``open_services`` starts what is needed and lets it go again in reverse order. Nothing is wired at import time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.db import embedded
from suyuan.db.keyfiles import load_or_create
from suyuan.db.migrate import check_current, prepare
from suyuan.db.pool import Pool, open_pool
from suyuan.disclosure.policy import load_policy
from suyuan.enrolment.enrolling import Enroller
from suyuan.enrolment.image_worker import ImageWorker
from suyuan.issuing import MacKeys, PatternKeys, ScratchKeys
from suyuan.log import PublishedCopy, Sequencer, Tree, load_signer
from suyuan.parties.members import get_party
from suyuan.parties.roles import grants_at
from suyuan.parties.tokens import Authenticator, Principal
from suyuan.scans import LabelChecker
from suyuan.settings import Settings
from suyuan.tlog.note import Ed25519Signer
from suyuan.trace import TraceReader
from suyuan.vault import Vault, VaultKeys
from suyuan.vault.erasing import ErasureCopy

FIRST_EPOCH = "0"
PUBLISHED = "published"
_MAC_PREFIX = "serial-mac-"
_SCRATCH_PREFIX = "scratch-mac-"
_PATTERN_PREFIX = "label-pattern-"


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an entrance needs, ready to use."""

    settings: Settings
    pool: Pool
    capture: Capture
    reader: TraceReader
    tree: Tree
    vault: Vault
    mac_keys: MacKeys
    scratch_keys: ScratchKeys
    pattern_keys: PatternKeys
    enroller: Enroller
    label_checker: LabelChecker
    # The processes that look at images, of checks and of enrolments; each begins with its first task.
    checking_images: ImageWorker
    enrolling_images: ImageWorker
    authenticator: Authenticator
    signer: Ed25519Signer

    async def deliverer(self, principal: Principal) -> Deliverer:
        """The caller as one who delivers papers."""
        return await self.deliverer_of(principal.party_id)

    async def deliverer_of(self, party_id: str) -> Deliverer:
        """A party as one who delivers papers, with what it holds now. Raises ``NotFoundError``."""
        party = await get_party(self.pool, party_id)
        grants = await grants_at(self.pool, party_id, datetime.now(UTC))
        codes = frozenset(code for code in (party.customs_code, party.uscc, party.gln) if code)
        return Deliverer(party_id, tuple(grants), codes)

    def sequencer(self) -> Sequencer:
        """A sequencer for this deployment's log; any number may run, one is active."""
        copy = PublishedCopy(self.settings.data_dir / PUBLISHED / "checkpoint")
        return Sequencer(self.pool, self.signer, copy=copy)

    def erasure_copy(self) -> ErasureCopy:
        """The erasure journal outside the database."""
        return ErasureCopy(self.settings.data_dir / PUBLISHED / "erasures")


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[str]:
    """The DSN of the database: the one that is set, else the embedded server, which runs for the block."""
    if settings.database_url:
        yield settings.database_url
    else:
        async with embedded.running(settings.data_dir) as dsn:
            yield dsn


@contextlib.asynccontextmanager
async def open_services(settings: Settings, *, migrate: bool = True) -> AsyncIterator[Services]:
    """The services of this process.

    With ``migrate`` the database is brought up to date first; without, one that is not current is refused.
    Raises ``UnavailableError`` (``db.*``) and ``IntegrityError`` (``db.migration.*``, ``db.key.*``).
    """
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(open_database(settings))
        if migrate:
            await prepare(dsn)
        pool = await stack.enter_async_context(open_pool(dsn, size=settings.pool_size))
        if not migrate:
            async with pool.acquire() as conn:
                await check_current(conn)
        services = _compose(settings, pool)
        stack.push_async_callback(services.capture.close)
        stack.push_async_callback(services.checking_images.close)
        stack.push_async_callback(services.enrolling_images.close)
        yield services


def _compose(settings: Settings, pool: Pool) -> Services:
    keys = settings.keys_dir
    vault = Vault(
        VaultKeys(
            load_or_create("pseudonym", 32, directory=keys),
            load_or_create("vault-wrapping", 32, directory=keys),
        )
    )
    mac_keys = load_mac_keys(keys)
    pattern_keys = load_pattern_keys(keys, mac_keys)
    capture = Capture(pool, vault, load_or_create("evidence-identity", 32, directory=keys))
    checking, enrolling = ImageWorker(), ImageWorker()
    return Services(
        settings=settings,
        pool=pool,
        capture=capture,
        reader=TraceReader(pool, load_policy(settings.policy_file)),
        tree=Tree(pool),
        vault=vault,
        mac_keys=mac_keys,
        scratch_keys=load_scratch_keys(keys, mac_keys),
        pattern_keys=pattern_keys,
        enroller=Enroller(
            pool,
            capture,
            pattern_keys,
            enrolling,
            code_host=settings.code_host,
            scheme=settings.base_url.partition(":")[0],
        ),
        label_checker=LabelChecker(
            pool, mac_keys, pattern_keys, checking, vault, image_days=settings.label_image_days
        ),
        checking_images=checking,
        enrolling_images=enrolling,
        authenticator=Authenticator(pool),
        signer=load_signer(settings.log_origin, keys),
    )


def load_mac_keys(keys_dir: Path) -> MacKeys:
    """The MAC keys of all epochs that have a key file; the newest epoch is the one that issues."""
    names = sorted(path.name for path in keys_dir.glob(f"{_MAC_PREFIX}?")) or [_MAC_PREFIX + FIRST_EPOCH]
    found = {name[-1]: load_or_create(name, 32, directory=keys_dir) for name in names}
    return MacKeys(found, max(found))


def load_scratch_keys(keys_dir: Path, mac_keys: MacKeys) -> ScratchKeys:
    """The keys of scratch codes, one for each epoch of serials."""
    return ScratchKeys(
        {epoch: load_or_create(_SCRATCH_PREFIX + epoch, 32, directory=keys_dir) for epoch in mac_keys.epochs}
    )


def load_pattern_keys(keys_dir: Path, mac_keys: MacKeys) -> PatternKeys:
    """The keys of labels' patterns, one for each epoch of serials."""
    return PatternKeys(
        {epoch: load_or_create(_PATTERN_PREFIX + epoch, 32, directory=keys_dir) for epoch in mac_keys.epochs}
    )


@contextlib.asynccontextmanager
async def sequencing(services: Services) -> AsyncIterator[asyncio.Task[None]]:
    """Run a sequencer beside the block; at its end what is stored is published."""
    stop = asyncio.Event()
    task = asyncio.create_task(services.sequencer().run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task
