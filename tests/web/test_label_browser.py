"""The check of a label in a real browser, whose camera is a film: with the product's own server, and step by step.

``SUYUAN_TEST_SHOTS`` names a folder that gets pictures.
"""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import web_samples as samples
import zxingcpp
from fake_camera import ARGUMENTS, code, film
from PIL import Image
from playwright.async_api import Page
from web_source import FIRST

from browsing import chromium as heard_chromium
from suyuan.capture.prepare import Deliverer
from suyuan.enrolment.enrolling import EnrolCommand
from suyuan.label.model import Placement
from suyuan.label.path import TiltPath
from suyuan.scans import label_nonces
from suyuan.scans.label_model import CHECK_BOUNDS

pytest.importorskip("cv2", reason="labels are looked at with suyuan[label]")

from label_site import LabelSite, label_site

from suyuan.label.simulation import dynamic_trials

PHONE = {"width": 390, "height": 844}
ITEM = f"/01/{samples.GTIN}/21/"


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[LabelSite]:
    async with label_site(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample_site() -> Iterator[str]:
    """The pages over the sample source, which answers as it is told."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--no-log"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "web_source:app"],
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                if httpx.get(f"{base}/robots.txt").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield base
    finally:
        server.terminate()
        server.wait(10)


@asynccontextmanager
async def browsing(
    chromium: str,
    camera: str = "",
    *,
    lang: str = "zh-CN",
    scripts: bool = True,
    size: dict[str, int] = PHONE,
) -> AsyncIterator[Page]:
    """A page whose scripts and policy have nothing to complain of, and which asks nobody else for anything."""
    heard: list[str] = []
    async with heard_chromium(chromium, *ARGUMENTS, *([camera] if camera else [])) as browser:
        context = await browser.new_context(
            locale=lang, viewport=PHONE, java_script_enabled=scripts  # type: ignore[arg-type]
        )  # fmt: skip
        context.on("weberror", lambda error: heard.append(str(error.error)))
        context.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
        context.on("request", lambda asked: None if "//127.0.0.1" in asked.url else heard.append(asked.url))
        yield await context.new_page()
    assert [text for text in heard if not re.search(r"blob:|status of 4\d\d|net::ERR_FAILED", text)] == []


async def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SUYUAN_TEST_SHOTS"):
        await page.screenshot(path=Path(folder) / f"label-{name}.png")


def as_film(folder: Path, jpeg: bytes, size: tuple[int, int] = (1280, 960)) -> str:
    """A camera that sees this photo on a dark table."""
    photo = Image.open(io.BytesIO(jpeg)).convert("RGB")
    table = Image.new("RGB", size, (70, 66, 60))
    table.paste(photo, ((size[0] - photo.width) // 2, (size[1] - photo.height) // 2))
    return film(folder / "label.y4m", [table])


async def test_a_buyer_checks_a_label_with_the_camera(
    site: LabelSite, chromium_path: str, tmp_path: Path
) -> None:
    camera = as_film(tmp_path, site.photo())
    async with browsing(chromium_path, camera) as page:
        await page.goto(site.site.base + site.path)
        await page.get_by_role("link", name="用相机核对标签").click()
        assert page.url.startswith(f"{site.site.base}/check{site.path}")
        await page.locator("#open").click()
        result = page.locator("#result")
        await result.wait_for(timeout=60_000)
        await shot(page, "matches")
        assert await result.locator("h2").inner_text() == "标签与登记记录相符"
        assert "模拟" in await result.inner_text()
        assert await page.locator("#capture").get_attribute("data-reader") == "shipped"
        assert await page.locator("#live").evaluate("video => video.srcObject") is None, (
            "the camera is let go"
        )
        assert await page.evaluate("document.activeElement.id") == "answer"
        await page.locator("#open").click()
        await page.wait_for_function(
            "() => document.getElementById('answer').textContent.includes('重新拍摄')"
        )
        assert "此前已提交过" in await result.inner_text(), "the very same picture again is none"
    rows = await site.site.services.pool.fetch(
        "SELECT s.result, c.score, c.quality FROM label_check AS c JOIN scan AS s USING (scan_id) ORDER BY scan_id"
    )
    assert [row["result"] for row in rows] == ["matches", "unclear"]


async def test_without_scripts_photos_are_sent_through_the_same_door(
    site: LabelSite, chromium_path: str, tmp_path: Path
) -> None:
    wall = io.BytesIO()
    Image.effect_noise((900, 900), 40).save(wall, "JPEG")
    sent = [
        (site.photo(3, of="office_copy"), "The label does not match its enrolment", "Take it once more"),
        (wall.getvalue(), "Could not tell: please take it again", "Hold the whole QR code and the pattern"),
        (b"not a picture", "No picture that can be compared", "as the camera takes them"),
        (site.photo(4), "The label matches its enrolment", "nothing of the goods inside"),
    ]
    async with browsing(chromium_path, lang="en", scripts=False) as page:
        await page.goto(f"{site.site.base}/check{site.path}")
        assert not await page.locator("#open").is_visible()
        for n, (data, title, words) in enumerate(sent):
            file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}
            await page.locator("#images").set_input_files(file)  # type: ignore[arg-type]
            await page.locator("#form button").click()
            result = page.locator("#result")
            await page.get_by_role("heading", name=title).wait_for()
            assert words in await result.inner_text()
            await shot(page, f"sent-{n}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def seen_from(flat: Image.Image, lean: str) -> Image.Image:
    """A code as it looks when the edge of this name goes away from the camera."""
    width, height = flat.size
    far, near = (0.06, -0.06) if lean else (0.0, 0.0)
    # How far each corner of the picture moves inwards, by the edges that it belongs to.
    pull = {"left": (far, far, near, near), "right": (near, near, far, far)}.get(lean)
    if lean in ("up", "down"):
        top, bottom = (far, near) if lean == "up" else (near, far)
        pull = (top, bottom, bottom, top)
    first, second, third, fourth = pull or (0.0,) * 4  # top left, bottom left, bottom right, top right
    source = [(0, 0), (0, height), (width, height), (width, 0)]
    target = [
        (width * first, height * first), (width * second, height * (1 - second)),
        (width * (1 - third), height * (1 - third)), (width * (1 - fourth), height * fourth),
    ]  # fmt: skip
    return flat.transform(
        flat.size,
        Image.Transform.PERSPECTIVE,
        _coefficients(target, source),
        Image.Resampling.BICUBIC,
        fillcolor=150,
    )


def _coefficients(seen: list[tuple[float, float]], drawn: list[tuple[int, int]]) -> list[float]:
    """The map from a picture to what is drawn in it, as Pillow wants it."""
    import numpy as np

    rows, values = [], []
    for (x, y), (u, v) in zip(seen, drawn, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return list(map(float, np.linalg.solve(np.array(rows), np.array(values))))


async def test_a_clip_follows_the_way_that_the_server_asked_for(
    sample_site: str, chromium_path: str, tmp_path: Path
) -> None:
    """The film leans down, up, left and right for a second each: each leg waits for its own."""
    flat = code(f"HTTPS://SY.EXAMPLE.CN{ITEM}{FIRST}", zxingcpp.BarcodeFormat.QRCode, side=360)
    legs = [seen_from(flat, lean) for lean in ("", "up", "left", "down", "right")]
    camera = film(tmp_path / "tilting.y4m", legs, rate=1)
    async with browsing(chromium_path, camera) as page:
        await page.add_init_script(
            "const plain = window.fetch; window.fetch = (door, asked) => { const { body } = asked || {};"
            " if (body) window.sent = body.getAll('images').map((one) => one.size); return plain(door, asked); }"
        )
        await page.goto(f"{sample_site}/check{ITEM}{FIRST}")
        await page.evaluate(
            "() => { const hint = document.getElementById('hint'); window.hints = [];"
            " new MutationObserver(() => window.hints.push(hint.textContent)).observe(hint, {childList: true}); }"
        )
        await page.locator("#open").click()
        arrow = page.locator("#arrow.on")
        await arrow.wait_for(timeout=60_000)
        await shot(page, "arrow")
        result = page.locator("#result")
        await result.wait_for(timeout=60_000)
        sent = await page.evaluate("window.sent")
        hints = await page.evaluate("window.hints")
        await shot(page, "clip")
    assert len(sent) == 24 and all(10_000 < size < CHECK_BOUNDS["B"].image_bytes for size in sent)
    order = ["下边", "右边", "上边"]
    said = [word for hint in hints for word in order if word in hint]
    assert [word for n, word in enumerate(said) if not n or word != said[n - 1]] == order


@pytest.mark.slow
async def test_a_dynamic_label_matches_when_the_way_is_followed(
    site: LabelSite, chromium_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The film of a simulated glitter label under a torch goes the asked way, over and over."""
    way = TiltPath(("up", "left", "down"))
    monkeypatch.setattr(label_nonces, "tilt_path", lambda random: way)
    uri = site.uri[: -len(site.serials[0])] + site.serials[1]
    services = site.site.services
    command = EnrolCommand(uri=uri, track="B")
    await services.enroller.enrol(command, dynamic_trials.enrolment_images(9, "test", uri), Deliverer("op"))
    label = dynamic_trials.SimulatedLabel(
        uri=uri, record=b"", placement=Placement(0, 0, 1), seed=9, split="test"
    )
    frames = dynamic_trials.clip_for(label, way, 5, conditions=dynamic_trials.Conditions(frames=24))
    seen = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    async with browsing(chromium_path, film(tmp_path / "glitter.y4m", seen, rate=6)) as page:
        await page.goto(f"{site.site.base}/check/01/{samples.GTIN}/21/{site.serials[1]}")
        for _ in range(3):  # the film stands anywhere when the camera opens
            await page.locator("#open").click()
            await page.locator("#result").wait_for(timeout=60_000)
            if "相符" in await page.locator("#answer").inner_text():
                break
        await shot(page, "glitter")
        assert await page.locator("#answer").inner_text() == "标签与登记记录相符"


async def test_another_items_code_and_a_refused_camera_are_said(
    sample_site: str, chromium_path: str, tmp_path: Path
) -> None:
    other = code(f"HTTPS://SY.EXAMPLE.CN{ITEM}OTHER", zxingcpp.BarcodeFormat.QRCode)
    async with browsing(chromium_path, film(tmp_path / "other.y4m", [other]), lang="en") as page:
        await page.goto(f"{sample_site}/check{ITEM}{samples.SERIAL}")
        await page.locator("#open").click()
        await page.get_by_text("This is another item's code").wait_for(timeout=60_000)
        await page.locator("#stop").click()
        assert await page.locator("#open").is_visible() and not await page.locator("#stage").is_visible()
        await page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('no', 'NotAllowedError'); }; }"
        )
        await page.locator("#open").click()
        await page.get_by_role("alert").wait_for()
        assert "The camera was not allowed" in await page.get_by_role("alert").inner_text()
        # A photo of a kind that not every server reads is chosen instead.
        await page.evaluate(
            "() => { HTMLFormElement.prototype.submit = () => {"
            " window.made = document.getElementById('images').files[0].type; }; }"
        )
        bitmap = io.BytesIO()
        other.convert("RGB").save(bitmap, "BMP")
        await page.locator("#other-way summary").click()
        file = {"name": "photo.bmp", "mimeType": "image/bmp", "buffer": bitmap.getvalue()}
        await page.locator("#images").set_input_files(file)  # type: ignore[arg-type]
        await page.locator("#form button").click()
        await page.wait_for_function("() => window.made")
        assert await page.evaluate("window.made") == "image/jpeg"


async def test_pictures_that_did_not_get_through_are_sent_again(
    sample_site: str, chromium_path: str, tmp_path: Path
) -> None:
    seen = code(f"HTTPS://SY.EXAMPLE.CN{ITEM}{samples.SERIAL}", zxingcpp.BarcodeFormat.QRCode, side=400)
    async with browsing(chromium_path, film(tmp_path / "good.y4m", [seen]), lang="en") as page:
        await page.goto(f"{sample_site}/check{ITEM}{samples.SERIAL}")

        async def drop(route) -> None:  # type: ignore[no-untyped-def]
            await (route.abort() if route.request.method == "POST" else route.continue_())

        await page.route("**/check/**", drop)
        await page.locator("#open").click()
        again = page.get_by_role("button", name="Send again")
        await again.wait_for(timeout=60_000)
        assert "The pictures are still here" in await page.get_by_role("alert").inner_text()
        await page.unroute("**/check/**")
        await again.click()
        await page.locator("#result").wait_for()
        assert not await page.get_by_role("alert").is_visible()


async def test_a_browser_that_reads_codes_is_asked_first_and_replaced_where_it_breaks(
    sample_site: str, chromium_path: str, tmp_path: Path
) -> None:
    seen = code(f"HTTPS://SY.EXAMPLE.CN{ITEM}{samples.SERIAL}", zxingcpp.BarcodeFormat.QRCode, side=400)
    async with browsing(chromium_path, film(tmp_path / "good.y4m", [seen]), lang="en") as page:
        await page.add_init_script(
            "window.calls = 0; window.BarcodeDetector = class {"
            " static async getSupportedFormats() { return ['qr_code', 'code_128']; }"
            " async detect() { window.calls += 1; if (window.calls < 4) return [];"
            " await new Promise((go) => { window.breakNow = go; }); throw new Error('no service'); } }"
        )
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{sample_site}/check{ITEM}{samples.SERIAL}")
        await page.locator("#open").click()
        await page.wait_for_function("() => window.breakNow")
        assert await page.locator("#capture").get_attribute("data-reader") == "native"
        assert not [url for url in asked if "zxing" in url]
        await page.evaluate("() => window.breakNow()")
        await page.locator("#result").wait_for(timeout=60_000)
        assert len([url for url in asked if "zxing" in url]) == 2 and await page.evaluate("window.calls") == 4
