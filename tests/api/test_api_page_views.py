"""Looks at an item's page through the real doors: counted without a write, told later, and the page stays kept."""

from __future__ import annotations

from typing import Any

import pytest
from api_deployment import GTIN, LOT, Deployment, event

from suyuan.scans import page_views
from suyuan.scans.page_views import page_views_of
from suyuan.web import source

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)
PATH = f"/01/{GTIN}/21/A1"


async def look(deployment: Deployment, path: str = PATH, **more: str) -> Any:
    headers = {
        "Accept": "text/html",
        "User-Agent": PHONE,
        **{k.replace("_", "-"): v for k, v in more.items()},
    }
    return await deployment.client.get(path, headers=headers)


async def counted(deployment: Deployment, serial: str = "A1") -> int:
    return (await page_views_of(deployment.services.pool, GTIN, serial)).views


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views are brought to the database at once."""
    monkeypatch.setattr(page_views, "FLUSH_SECONDS", 0.01)


async def arrived(deployment: Deployment, views: int) -> None:
    import asyncio

    async with asyncio.timeout(10):
        while await counted(deployment) < views:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_looks_of_people_are_counted(soon: None, deployment: Deployment) -> None:
    await deployment.capture("maker", event())
    await deployment.publish()
    first = await look(deployment)
    assert first.status_code == 200
    assert (await look(deployment, if_none_match=first.headers["etag"])).status_code == 304
    assert (await look(deployment, f"/item{PATH}")).status_code == 200
    await arrived(deployment, 3)
    # None of these is a look at an item.
    await look(deployment, accept="application/json")
    await look(deployment, sec_purpose="prefetch")
    await look(deployment, user_agent="curl/8.5.0")
    await deployment.client.head(PATH, headers={"Accept": "text/html", "User-Agent": PHONE})
    await look(deployment, f"/01/{GTIN}")
    await look(deployment, f"/01/{GTIN}/10/{LOT}")
    assert (await look(deployment, f"/01/{GTIN}/21/NOBODY")).status_code == 404
    await look(deployment)
    await arrived(deployment, 4)
    rows = await deployment.services.pool.fetch("SELECT * FROM page_view")
    assert [(row["serial"], row["views"]) for row in rows] == [("A1", 4)]
    assert set(rows[0].keys()) == {"gtin", "serial", "day", "views"}


async def test_the_page_stays_the_same_from_step_to_step(
    soon: None, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deployment.capture("maker", event())
    await deployment.publish()
    bucket = [0]
    monkeypatch.setattr(source, "_bucket", lambda: bucket[0])
    tags = []
    for count in range(1, 8):
        answer = await look(deployment)
        tags.append(answer.headers["etag"])
        await arrived(deployment, count)
        bucket[0] += 1
    # Seen 0, 1, 2, 3, 4, 5, 6 times before: the steps are none, 1, 2 and 5.
    assert len(dict.fromkeys(tags)) == 4
    assert tags[2] == tags[3] == tags[4]
    assert tags[5] == tags[6]
    assert "at least 5 times" in (await look(deployment, f"{PATH}?lang=en")).text
    # What was counted since changes nothing while the page is kept.
    kept = (await look(deployment)).headers["etag"]
    assert (await look(deployment)).headers["etag"] == kept


async def test_a_code_tells_how_often_its_page_was_opened(soon: None, deployment: Deployment) -> None:
    await deployment.capture("maker", event())
    await look(deployment)
    await arrived(deployment, 1)
    standing = await deployment.client.get(f"/api/v1/codes/{GTIN}/A1", headers=deployment.bearer("maker"))
    assert standing.json()["page"]["views"] == 1
    assert standing.json()["verified"] == 0
