"""Labels of the console: each style and size that the page offers is read again, as a picture of its printed size."""

from __future__ import annotations

import io
import re
import zipfile

import httpx
import pytest
import zxingcpp
from console_world import World, text_of
from PIL import Image

import browsing
from suyuan.parties import create_token
from suyuan.printing import built_in_styles, get_style, preview

BATCH = 1


async def stem(world: World) -> str:
    serial = await world.deployment.pool.fetchval(
        "SELECT serial FROM code WHERE batch_id = 1 ORDER BY ordinal LIMIT 1"
    )
    return str(serial)


async def test_every_preview_decodes_at_its_printed_size(world: World, chromium_path: str) -> None:
    import asyncio

    serial = await stem(world)
    pictures = await asyncio.to_thread(_pictures, world, chromium_path)
    for name, picture in pictures.items():
        [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        assert read.text.endswith(f"/01/08710000001236/21/{serial}"), name


def _pictures(world: World, chromium_path: str) -> dict[str, bytes]:
    """What a screen of 300 dots an inch shows of each style's preview."""
    found = {}
    with browsing.chromium_sync(chromium_path) as browser:
        context = browser.new_context(viewport={"width": 500, "height": 400}, device_scale_factor=3)
        context.add_cookies([{"name": "suyuan_session", "value": world.secrets["chief"], "url": world.base}])
        page = context.new_page()
        for name in built_in_styles():
            page.goto(f"{world.base}/console/labels/preview?style={name}&batch={BATCH}&expiry=2027-05-31")
            found[name] = page.screenshot()
    return found


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("style", sorted(built_in_styles()))
def test_the_page_offers_the_file_of_what_it_shows(world: World, lang: str, style: str) -> None:
    page = world.visitor(lang=lang).get(f"/console/labels?batch={BATCH}&style={style}&format=zpl&dpi=300")
    assert f"/console/labels/preview?batch={BATCH}&amp;style={style}" in page
    assert f"format=zpl&amp;dpi=300&amp;style={style}" in page


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [("csv", "text/csv", b"serial,uri"), ("pdf", "application/pdf", b"%PDF"), ("svg", "application/zip", b"PK"),
     ("zpl", "application/x-zpl", b"^XA"), ("png", "application/zip", b"PK"), ("tiff", "application/zip", b"PK")],
)  # fmt: skip
async def test_a_file_comes_from_page_and_api_alike(
    world: World, form: str, media_type: str, start: bytes
) -> None:
    path = f"/console/labels/file?batch={BATCH}&format={form}&style=roll-58x40"
    page = world.visitor().client.get(path)
    _, secret = await create_token(world.deployment.pool, "groene-wei", ["codes.issue"])
    async with httpx.AsyncClient(base_url=world.base, timeout=60) as client:
        api = await client.get(
            f"/api/v1/codes/batches/{BATCH}?format={form}&style=roll-58x40",
            headers={"Authorization": f"Bearer {secret}"},
        )
    for answer in (page, api):
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(media_type)
        assert answer.content.startswith(start)
    if form in ("svg", "png", "tiff"):
        assert len(zipfile.ZipFile(io.BytesIO(api.content)).namelist()) == 48
    if form in ("csv", "zpl"):
        assert page.content == api.content


@pytest.mark.parametrize(
    ("query", "code"),
    [("format=doc", "printing.format.unknown"), ("format=pdf&style=none", "printing.style.unknown"),
     ("format=zpl&dpi=17", "printing.dpi"), ("format=pdf&expiry=soon", "printing.expiry")],
)  # fmt: skip
async def test_what_cannot_be_printed_is_refused_by_name(world: World, query: str, code: str) -> None:
    _, secret = await create_token(world.deployment.pool, "groene-wei", ["codes.issue"])
    async with httpx.AsyncClient(base_url=world.base) as client:
        answer = await client.get(
            f"/api/v1/codes/batches/{BATCH}?{query}", headers={"Authorization": f"Bearer {secret}"}
        )
    assert (
        answer.json()["code"] == code and code in world.visitor().client.get(f"/console/labels?{query}").text
    )


def test_a_style_with_a_pattern_shows_a_sample_of_one(world: World) -> None:
    visitor = world.visitor(lang="en")
    assert "The pattern shown is a sample" in visitor.get(f"/console/labels?batch={BATCH}&style=tag-50x25")
    assert "The pattern shown is a sample" not in visitor.get(
        f"/console/labels?batch={BATCH}&style=item-40x20"
    )
    shown, sample = (
        re.findall(r' d="([^"]+)"', text)
        for text in (
            visitor.get(f"/console/labels/preview?batch={BATCH}&style=tag-50x25"),
            preview(get_style("tag-50x25")),
        )
    )
    # The symbol is the batch's own, the pattern is not.
    assert len(shown) == len(sample) == 2 and shown[0] != sample[0] and shown[1] == sample[1]


def test_batches_are_for_who_makes_the_codes(world: World) -> None:
    assert "no batch yet" in text_of(world.visitor("payer").get("/console/labels"))
    world.visitor("payer").get(f"/console/labels?batch={BATCH}", status=404)
    world.visitor("looker").get(f"/console/labels/file?batch={BATCH}", status=403)
