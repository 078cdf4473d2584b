"""A deployment with labels: codes with patterns, pictures that say what is on them, a process that reads those."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from deployment import GTIN, LOT, Deployment

from suyuan.capture.prepare import Deliverer
from suyuan.enrolment import image_worker
from suyuan.enrolment.enrolling import EnrolCommand, Enrolled
from suyuan.issuing import issue, iter_serials
from suyuan.label.model import Placement, Track
from suyuan.scans import Challenge, LabelCheck

HOME, OTHER = "192.0.2.7", "198.51.100.9"
HOST = "TRACE.EXAMPLE"
PLACEMENT = Placement(30.0, 2.0, 24.0)
_moments = itertools.count(1)


def picture(uri: str, of: str = "its own", **more: Any) -> bytes:
    """A picture of a print of a label, of a moment of its own."""
    return json.dumps({"uri": uri, "print": of, "moment": next(_moments), **more}).encode()


def printed(serial: str, gtin: str = GTIN) -> str:
    """What the label's code says."""
    return f"HTTPS://{HOST}/01/{gtin}/21/{serial}"


@pytest.fixture
def image_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are looked at by the stand-in, in a process as in the product, which has one only with the libraries."""
    pytest.importorskip("cv2", reason="the extra `label` is not installed")
    monkeypatch.setattr(image_worker, "_CHILD", "stand_in_child")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


class LabelWorld(msgspec.Struct, frozen=True):
    """The deployment, its maker, and codes whose labels have patterns."""

    deployment: Deployment
    maker: Deliverer
    serials: list[str]

    async def enrol(
        self, n: int, track: Track = "A", *, by: Deliverer | None = None, of: str = "its own", **more: Any
    ) -> Enrolled:
        uri = printed(self.serials[n])
        command = EnrolCommand(uri=uri, track=track, placement=PLACEMENT if track == "A" else None)
        return await self.deployment.services.enroller.enrol(
            command, [picture(uri, of, **more)] * 3, by or self.maker
        )

    async def challenge(self, n: int) -> Challenge:
        found = await self.deployment.services.label_checker.challenge(
            f"https://id.gs1.org/01/{GTIN}/21/{self.serials[n]}"
        )
        assert found is not None
        return found

    async def check(
        self, n: int, of: str = "its own", *, address: str = HOME, nonce: str = "", **more: Any
    ) -> LabelCheck:
        nonce = nonce or (await self.challenge(n)).nonce
        image = picture(printed(self.serials[n]), of, **more)
        return await self.deployment.services.label_checker.check(nonce, [image], address=address)


@pytest.fixture
async def label_world(deployment: Deployment, image_processes: None) -> AsyncIterator[LabelWorld]:
    maker = await deployment.member("maker")
    batch = await issue(
        deployment.pool,
        deployment.services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=12,
        party_id="maker",
        pattern=deployment.services.pattern_keys,
    )
    serials = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]
    yield LabelWorld(deployment, maker, serials)
