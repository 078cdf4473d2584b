"""A source of sample items, for tests of presentation only, and the application that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import web_samples as samples
from litestar import Litestar

from suyuan.errors import InputError
from suyuan.gs1.linkset import Link
from suyuan.label.model import Track
from suyuan.scans import Verification
from suyuan.scans.label_model import Challenge, LabelCheck
from suyuan.web.model import CodeCheck, PageSettings, PublicItem
from suyuan.web.routes import item_routes

GTIN_URI = f"https://id.gs1.org/01/{samples.GTIN}"
LOT_URI = f"{GTIN_URI}/10/L25216A"
RECALLED = "RECALLED1"
MISSING = "MISSING1"
FIRST = "FIRST1"
SUSPECTED = "SUSPECTED1"
VOIDED = "VOIDED1"
MALFORMED = "0000000000000000BAD0"
# Items whose labels were enrolled, by what their labels are checked.
LABELS: dict[str, tuple[Track, ...]] = {
    samples.SERIAL: ("A",),
    FIRST: ("B",),
    MISSING: ("A", "B"),
    VOIDED: ("A",),
}


def item_uri(serial: str) -> str:
    """The canonical URI of a sample item."""
    return f"{GTIN_URI}/21/{serial}"


def sample_items() -> dict[str, PublicItem]:
    """Sample items by canonical URI."""
    whole = samples.coverage()
    holes = samples.coverage({"gate-in": "missing", "exit-list": "late", "signed": "not yet due"})
    named = {
        samples.SERIAL: PublicItem(trace=samples.trace(), coverage=whole, proof=samples.PROOF),
        FIRST: PublicItem(
            trace=samples.trace(), coverage=whole, scans=samples.SCANS_FIRST, proof=samples.PROOF
        ),
        RECALLED: PublicItem(
            trace=samples.trace(recall=samples.recall(), state="delivered"),
            coverage=whole,
            proof=samples.PROOF,
        ),
        MISSING: PublicItem(
            trace=samples.corrected(), coverage=holes, scans=samples.SCANS_MANY, proof=samples.PROOF
        ),
        SUSPECTED: PublicItem(
            trace=samples.trace(), coverage=whole, scans=samples.SCANS_SUSPICIOUS, proof=samples.PROOF
        ),
        VOIDED: PublicItem(trace=samples.trace(state="voided", facts=()), proof=samples.PROOF),
    }
    items = {
        item_uri(serial): msgspec.structs.replace(
            item,
            trace=msgspec.structs.replace(item.trace, thing=item_uri(serial), serial=serial),
            label=serial in LABELS,
        )
        for serial, item in named.items()
    }
    lot_facts = tuple(fact for fact in samples.journey_facts() if fact.tie.kind == "lot")
    items[LOT_URI] = PublicItem(
        trace=samples.trace(thing=LOT_URI, kind="lot", serial="", state="unknown", facts=lot_facts)
    )
    items[GTIN_URI] = PublicItem(
        trace=samples.trace(thing=GTIN_URI, kind="class", serial="", lot="", state="unknown", facts=())
    )
    pallet = "https://id.gs1.org/00/087100000000000123"
    items[pallet] = PublicItem(
        trace=samples.trace(
            thing=pallet, kind="sscc", gtin="", serial="", lot="", state="unknown", product={}, facts=()
        )
    )
    return items


class SampleSource:
    """Answers from ``sample_items``; ``reads`` counts how often a thing was read."""

    def __init__(self, registered: tuple[Link, ...] = (), version: str | None = "1") -> None:
        self.items = sample_items()
        self.registered = registered
        self.current = version
        self.reads = 0
        self.nonces = 0
        self.sent: list[tuple[str, str, list[int]]] = []

    async def read_public(self, uri: str, version: str = "") -> PublicItem | None:
        self.reads += 1
        return self.items.get(uri)

    async def version(self, uri: str) -> str | None:
        return self.current

    async def verify(self, gtin: str, serial: str, scratch_code: str, address: str) -> Verification:
        return Verification(result="not_applicable")

    async def label_challenge(self, uri: str) -> Challenge | None:
        tracks = LABELS.get(uri.rpartition("/")[2])
        if tracks is None:
            return None
        self.nonces += 1
        return Challenge(
            nonce=f"nonce-{self.nonces}",
            expires_at=datetime(2030, 1, 1, tzinfo=UTC),
            uri=uri,
            code_text=uri.replace("https://id.gs1.org", "HTTPS://SY.EXAMPLE.CN"),
            tracks=tracks,
            path=("up", "left", "down") if "B" in tracks else (),
            voided=uri.endswith(VOIDED),
        )

    async def check_label(
        self, uri: str, nonce: str, images: Sequence[bytes], *, address: str, track: str = ""
    ) -> LabelCheck:
        """The answer that the first picture names after ``answer:``, a JSON text, behind the picture itself."""
        pictures = list(images)
        self.sent.append((nonce, track, [len(one) for one in pictures]))
        if not nonce.startswith("nonce-"):
            raise InputError("scan.label.nonce", "The nonce is unknown or expired.", path="nonce")
        told = pictures[0].partition(b"answer:")[2] if pictures else b""
        if not told:
            return LabelCheck(answer="matches", track="A" if track != "B" else "B")
        return msgspec.json.decode(told, type=LabelCheck)

    async def bundle(self, uri: str) -> bytes | None:
        return b'{"bundle": 1}' if uri in self.items else None

    async def describe(self, uri: str) -> tuple[str, str] | None:
        item = self.items.get(uri)
        if item is None:
            return None
        return item.trace.product.get("name_en", ""), item.trace.product.get("name_zh", "")

    async def links(self, uri: str) -> tuple[Link, ...]:
        return tuple(link for link in self.registered if link.anchor == uri)

    def check_serial(self, gtin: str, serial: str) -> CodeCheck:
        return "malformed" if serial == MALFORMED else "foreign"


def application(settings: PageSettings = samples.SETTINGS, source: SampleSource | None = None) -> Litestar:
    """The room's routes over the sample source."""
    return Litestar([item_routes(source or SampleSource(), settings)], openapi_config=None)


app = application()
