"""What the web room shows and whom it asks: the page's inputs and the interface to the rooms below.

The page never reads a database. Everything that it may say comes in through ``ItemSource``, already cut to
what the public may see; the page adds words, order and form, never a fact. ``None`` means "not known here",
and the page then stays silent instead of guessing (no scan summary: no word about a first verification).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from suyuan.compliance.model import Coverage
from suyuan.gs1.linkset import Link
from suyuan.scans import Verification
from suyuan.scans.label_model import Challenge, LabelCheck
from suyuan.settings import Settings
from suyuan.trace.model import Trace

CodeCheck = Literal["issued", "foreign", "malformed"]
ScanTier = Literal["none", "watch", "suspicious"]


class ScanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How often a code was verified, this time included.

    ``reasons_*`` are the reasons behind the tier, for the public, in plain words. ``seen`` is how often, at least,
    people opened the item's page, since ``seen_since``: that verifies nothing and never is part of ``count``.
    """

    count: int
    first_at: datetime | None = None
    zone_offset: str = "+08:00"
    first_city_en: str = ""
    first_city_zh: str = ""
    tier: ScanTier = "none"
    reasons_en: tuple[str, ...] = ()
    reasons_zh: tuple[str, ...] = ()
    seen: int = 0
    seen_since: date | None = None


class ProofSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the log that the page's facts are proved against.

    ``checkpoint`` is the signed note verbatim; ``log_key`` the verifier key that signed it (vkey form).
    """

    origin: str
    tree_size: int
    root_hash: str
    checkpoint: str
    log_key: str
    published_at: datetime | None = None
    witnesses: int = 0


class PublicItem(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the public may know of one thing (item, lot, product, transport unit)."""

    trace: Trace
    coverage: Coverage | None = None
    scans: ScanSummary | None = None
    proof: ProofSummary | None = None
    scratch: bool = False  # its label has a scratch code
    label: bool = False  # its label can be checked by its image


class ItemSource(Protocol):
    """What the item routes ask of the rooms below. All URIs are canonical (https://id.gs1.org/...).

    Every answer is for the public audience. Methods raise only ``SuyuanError``.
    """

    async def read_public(self, uri: str, version: str = "") -> PublicItem | None:
        """The thing as the public may see it; None where nothing is known under that URI.

        ``version`` is what the thing was just told to have: with it, it need not be looked up again.
        """
        ...

    async def version(self, uri: str) -> str | None:
        """A short opaque word that changes whenever ``read_public`` would answer otherwise.

        Much cheaper than reading; None where that is not known, and then nothing is cached.
        """
        ...

    async def verify(self, gtin: str, serial: str, scratch_code: str, address: str) -> Verification:
        """Verify an item by the scratch code that somebody at ``address`` typed.

        Raises ``InputError`` (``scan.code.form``) for what is no scratch code.
        """
        ...

    async def label_challenge(self, uri: str) -> Challenge | None:
        """What a check of the item's label is begun with; None where no label was enrolled."""
        ...

    async def check_label(
        self, uri: str, nonce: str, images: Sequence[bytes], *, address: str, track: str = ""
    ) -> LabelCheck:
        """Check the item's label by what somebody at ``address`` sent; see ``LabelChecks.check``."""
        ...

    async def bundle(self, uri: str) -> bytes | None:
        """The proof bundle (JSON) of the public trace; None where there is no such thing."""
        ...

    async def describe(self, uri: str) -> tuple[str, str] | None:
        """The name of the thing's product in English and Chinese, cheaply; None for what is not known here.

        A thing without a known product is described by two empty strings.
        """
        ...

    async def links(self, uri: str) -> tuple[Link, ...]:
        """Links that members registered for exactly this URI; an empty tuple where there are none."""
        ...

    def check_serial(self, gtin: str, serial: str) -> CodeCheck:
        """Judge a serial by its MAC alone, without I/O.

        "issued": the MAC holds; "malformed": GTIN and key epoch are ours and the MAC does not hold, so the
        code was never issued; "foreign": not one of our serials, only the index can tell.
        """
        ...


class PageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator configures about the public pages.

    ``base_url`` is scheme and host without a slash at the end; it is the official domain named on the page.
    ``report_url`` is a ``mailto:`` or ``https:`` address. ``root_files`` is a folder with the files that
    WeChat, Alipay and others ask to find at the root of the domain; only names listed there at start are
    served. ``label_image_hours`` is how long pictures of labels are kept; none are where it is 0.
    """

    base_url: str
    operator_en: str = ""
    operator_zh: str = ""
    report_url: str = ""
    icp_number: str = ""
    police_number: str = ""
    root_files: Path | None = None
    label_image_hours: int = 0

    @property
    def domain(self) -> str:
        """The host that the page names as the official one."""
        return self.base_url.split("://", 1)[-1]


def page_settings(settings: Settings) -> PageSettings:
    """What this deployment's settings say about the public pages."""
    return PageSettings(
        base_url=settings.base_url,
        operator_en=settings.operator_name_en,
        operator_zh=settings.operator_name_zh,
        report_url=settings.report_url,
        icp_number=settings.icp_number,
        police_number=settings.police_number,
        root_files=settings.root_files_dir,
    )
