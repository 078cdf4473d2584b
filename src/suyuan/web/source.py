"""The web room's items as they are stored: public traces with coverage and proof, read once while nothing changes.

A thing that was read is remembered with what its trace depends on. As long as nothing new was said of any of it
the next request costs one query instead of a walk. Names in the catalogue may lag by ``NAMES_SECONDS``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from suyuan.catalog import find_products
from suyuan.compliance.cities import city_duty, load_cities
from suyuan.compliance.coverage import coverage_of
from suyuan.compliance.legs import load_profiles
from suyuan.db.pool import glancing
from suyuan.enrolment.enrolling import ENROLLING
from suyuan.enrolment.image_worker import can_look
from suyuan.enrolment.records import find_enrolments
from suyuan.errors import NotFoundError
from suyuan.gs1.linkset import Link
from suyuan.gs1.serials import serial_epoch
from suyuan.issuing import MacKeys, code_statuses, find_batches, issuing_gtins
from suyuan.log import Tree, find_checkpoint
from suyuan.log.publishing import StoredCheckpoint
from suyuan.observing import PAGES
from suyuan.scans import Verification, Verifier
from suyuan.scans.label_model import Challenge, LabelCheck, LabelChecks
from suyuan.scans.page_views import at_least, page_views_of
from suyuan.tlog.note import Ed25519Signer
from suyuan.trace import OPERATOR, PUBLIC, TraceReader, make_bundle
from suyuan.trace.kept import Kept
from suyuan.trace.model import Trace
from suyuan.trace.read import Footprint, split_item
from suyuan.web.content import as_seen, content_digest, settled
from suyuan.web.model import CodeCheck, ProofSummary, PublicItem, ScanSummary

# Bytes of remembered things: of most only what they depend on, of the latest also the whole.
FOOTPRINT_BYTES, ITEM_BYTES = 6 << 20, 4 << 20
_KEY_BYTES, _THING_BYTES = 160, 1_000
# An object tree takes about this many times the bytes of its JSON.
_TREE = 3
NAMES_SECONDS = 300
# How long one look at the database's transactions counts for all pages: the most that a page lags. It also
# spares the second look within one request, which asks for a thing's version and then for the thing.
LOOK_SECONDS = 0.02


class _Known(msgspec.Struct):
    footprint: Footprint
    version: str
    names_bucket: int
    snapshot: str

    @property
    def size(self) -> int:
        return _THING_BYTES + _KEY_BYTES * len(self.footprint.keys)


class StoredItems:
    """``ItemSource`` over the database. One per process."""

    def __init__(
        self,
        reader: TraceReader,
        tree: Tree,
        mac_keys: MacKeys,
        signer: Ed25519Signer,
        *,
        legs_folder: Path | None = None,
        cities_folder: Path | None = None,
        verifier: Verifier | None = None,
        labels: LabelChecks | None = None,
    ) -> None:
        """``legs_folder`` is where an operator keeps own leg profiles; without a verifier nothing is verified, and
        without ``labels`` no label is checked.
        """
        self._verifier = verifier
        self._labels = labels
        self._reader = reader
        self._tree = tree
        self._mac_keys = mac_keys
        self._signer = signer
        self._legs = legs_folder
        self._cities = cities_folder
        self._known: Kept[str, _Known] = Kept(FOOTPRINT_BYTES)
        # With the version that each item has: the page of a version is usually kept as bytes already.
        self._items: Kept[str, tuple[str, PublicItem]] = Kept(ITEM_BYTES)
        self._checkpoint: tuple[str, ProofSummary | None] = ("", None)
        self._gtins: dict[str, bool] = {}
        self._look: tuple[float, str] = (0.0, "")

    async def read_public(self, uri: str, version: str = "") -> PublicItem | None:
        """The thing as the public may see it; None where nothing is known under that URI.

        With ``version``, which it was just told to have, it need not be looked up again.
        """
        if version and (kept := self._items.get(uri)) is not None and kept[0] == version:
            return kept[1]
        known = await self._current(uri)
        if known is None:
            return None
        kept = self._items.get(uri)
        if kept is not None and kept[0] == known.version:
            return kept[1]
        read = await self._read(uri)
        return None if read is None else read[1]

    async def version(self, uri: str) -> str | None:
        """Changes whenever the page would; reads the thing where it is not remembered."""
        known = await self._current(uri)
        return None if known is None else known.version

    async def _current(self, uri: str) -> _Known | None:
        known = self._known.get(uri)
        if known is not None and known.names_bucket == _bucket() and await self._still_holds(known):
            PAGES.labels("remembered").inc()
            return known
        read = await self._read(uri)
        return None if read is None else read[0]

    async def _still_holds(self, known: _Known) -> bool:
        """No transaction at all ended since, or none that said anything of this thing."""
        snapshot = await self._snapshot()
        if snapshot == known.snapshot:
            return True
        if not await self._reader.unchanged(known.footprint):
            return False
        known.snapshot = snapshot
        return True

    async def _snapshot(self) -> str:
        """The database's transactions in one word, looked up at most every ``LOOK_SECONDS``."""
        now = time.monotonic()
        if now - self._look[0] >= LOOK_SECONDS:
            self._look = (now, await self._reader.snapshot())
        return self._look[1]

    async def _read(self, uri: str) -> tuple[_Known, PublicItem] | None:
        PAGES.labels("computed").inc()
        self._known.drop(uri)
        self._items.drop(uri)
        if _is_product(uri):
            return await self._read_product(uri)
        begun = time.monotonic()
        views = await self._reader.read_views(uri, OPERATOR, PUBLIC)
        if not views:
            return None
        whole, reading = views
        snapshot = reading.snapshot
        if begun > self._look[0]:
            self._look = (begun, snapshot)
        await self._note_gtin(reading.trace.gtin)
        now = datetime.now(UTC)
        # Judged on the whole trace: a leg whose paper the public may not see is there all the same.
        coverage = coverage_of(whole.trace, load_profiles(self._legs), now)
        duty = city_duty(whole.trace, coverage.mode, load_cities(self._cities))
        coverage = msgspec.structs.replace(coverage, city=duty)
        item = PublicItem(
            trace=reading.trace,
            coverage=as_seen(coverage, whole.trace, reading.trace),
            scratch=self._verifier is not None and reading.scratch,
            label=await self._has_label(whole.trace),
            scans=await self._scans(reading.trace.gtin, reading.trace.serial),
            proof=await self._proof(snapshot),
        )
        version, size = content_digest(item, now)
        known = _Known(reading.footprint, version, _bucket(), snapshot)
        self._items.put(uri, (version, item), size * _TREE)
        if settled(item):
            # What the log has yet to take in changes without any new row of the thing: not remembered.
            self._known.put(uri, known, known.size)
        return known, item

    async def _read_product(self, uri: str) -> tuple[_Known, PublicItem] | None:
        """What a GTIN alone names: the product as the catalogue knows it, and never the way of any goods.

        Its events would be those of every lot and parcel, which whoever holds no item may not see.
        """
        gtin, _, _ = split_item(uri)
        if gtin not in await find_products(self._reader.pool, [gtin]) and not await self._reader.knows(uri):
            return None
        await self._note_gtin(gtin)
        trace = await self._reader.product(uri, gtin, PUBLIC)
        now = datetime.now(UTC)
        item = PublicItem(trace=trace, proof=await self._proof(await self._snapshot()))
        empty = Footprint(keys={}, month=now.date().replace(day=1), rows=0, acts=0, gtin=gtin, serial="")
        version, size = content_digest(item, now)
        self._items.put(uri, (version, item), size * _TREE)
        return _Known(empty, version, _bucket(), ""), item

    async def _proof(self, snapshot: str) -> ProofSummary | None:
        """The newest head; the one looked up last where no transaction ended since."""
        if self._checkpoint[0] == snapshot:
            return self._checkpoint[1]
        async with glancing(self._reader.pool) as conn:
            stored = await find_checkpoint(conn)
        proof = None if stored is None else self._summary(stored)
        self._checkpoint = (snapshot, proof)
        return proof

    def _summary(self, stored: StoredCheckpoint) -> ProofSummary:
        return ProofSummary(
            origin=self._signer.name,
            tree_size=stored.tree_size,
            root_hash=stored.root_hash.hex(),
            checkpoint=stored.note.decode(),
            log_key=self._signer.vkey,
            published_at=stored.signed_at,
        )

    async def verify(self, gtin: str, serial: str, scratch_code: str, address: str) -> Verification:
        """Verify an item by what somebody typed. Raises ``InputError`` (``scan.code.form``)."""
        if self._verifier is None:
            return Verification(result="not_applicable")
        return await self._verifier.verify(gtin, serial, scratch_code, address=address)

    async def label_challenge(self, uri: str) -> Challenge | None:
        """What a check of the item's label is begun with; None where no label was enrolled."""
        return None if self._labels is None else await self._labels.challenge(uri)

    async def check_label(
        self, uri: str, nonce: str, images: Sequence[bytes], *, address: str, track: str = ""
    ) -> LabelCheck:
        """Check the item's label by a capture; see ``LabelChecks.check``."""
        if self._labels is None:
            raise NotFoundError("web.label.not_enrolled", "No label is checked here.", path="/")
        return await self._labels.check(nonce, images, address=address, track=track, uri=uri)

    async def _has_label(self, trace: Trace) -> bool:
        """Whether the item's label can be checked; its enrolment is a fact of its trace, so that few need be asked."""
        enrolled = any(fact.biz_step == ENROLLING for fact in trace.facts)
        if self._labels is None or not enrolled or not can_look():
            return False
        async with glancing(self._reader.pool) as conn:
            return bool(await find_enrolments(conn, trace.gtin, trace.serial))

    async def _scans(self, gtin: str, serial: str) -> ScanSummary | None:
        """How often people opened the item's page: in steps, so that a page stays the same from one to the next."""
        if not gtin or not serial:
            return None
        async with glancing(self._reader.pool) as conn:
            views = await page_views_of(conn, gtin, serial)
        if not views.views:
            return None
        return ScanSummary(count=0, seen=at_least(views.views), seen_since=views.first_on)

    async def bundle(self, uri: str) -> bytes | None:
        """The proof bundle of the public trace; none for a product, of whose goods nothing is shown."""
        if _is_product(uri):
            return None
        return await make_bundle(self._reader, self._tree, uri, PUBLIC, log_key=self._signer.vkey)

    async def describe(self, uri: str) -> tuple[str, str] | None:
        """Names of the product in English and Chinese; None for what is not known here."""
        gtin, serial, _ = split_item(uri)
        pool = self._reader.pool
        product = (await find_products(pool, [gtin])).get(gtin) if gtin else None
        names = (product.name_en, product.name_zh) if product is not None else ("", "")
        if serial:
            known = serial in await code_statuses(pool, gtin, [serial]) or await self._reader.knows(uri)
        else:
            known = product is not None or await self._reader.knows(uri)
        return names if known else None

    async def links(self, uri: str) -> tuple[Link, ...]:
        """No links are registered by members: the resolver's own are all there are."""
        return ()

    def check_serial(self, gtin: str, serial: str) -> CodeCheck:
        """Judge a serial by its MAC, for GTINs that issue here."""
        if not self._gtins.get(gtin):
            return "foreign"
        if self._mac_keys.is_forged(gtin, serial):
            return "malformed"
        return "issued" if serial_epoch(serial) is not None else "foreign"

    async def load_gtins(self) -> None:
        """Learn which GTINs have codes issued here: their serials are judged before the database is asked."""
        for gtin in await issuing_gtins(self._reader.pool):
            self._gtins[gtin] = True

    async def _note_gtin(self, gtin: str) -> None:
        if gtin and gtin not in self._gtins:
            self._gtins[gtin] = bool(await find_batches(self._reader.pool, gtin))


def _bucket() -> int:
    return int(time.time()) // NAMES_SECONDS


def _is_product(uri: str) -> bool:
    gtin, serial, lot = split_item(uri)
    return bool(gtin) and not serial and not lot
