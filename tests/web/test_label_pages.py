"""The page on which a label is checked: what it says before and after, what a browser may do there, what it refuses."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import httpx
import msgspec
import pytest
import web_samples as samples
from web_source import FIRST, LABELS, MALFORMED, MISSING, RECALLED, VOIDED, SampleSource, application

from suyuan.errors import InputError, UnsupportedError
from suyuan.issuing import PatternKeys
from suyuan.label.model import REASONS
from suyuan.scans import label_uploads
from suyuan.scans.label_model import CHECK_BOUNDS, LabelCheck
from suyuan.scans.label_nonces import make_nonce, open_nonce, seal_nonce
from suyuan.web.label_files import NAMES, served_files, served_path
from suyuan.web.label_page import DOOR

ITEM = f"/01/{samples.GTIN}/21/"
PAGE = f"{DOOR}{ITEM}{samples.SERIAL}"
JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def source() -> SampleSource:
    return SampleSource()


@pytest.fixture
async def client(source: SampleSource) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(source=source))
    headers = {"accept": "text/html", "accept-language": "en"}
    async with httpx.AsyncClient(
        transport=transport, base_url="https://sy.example.cn", headers=headers
    ) as opened:
        yield opened


def answering(check: LabelCheck) -> bytes:
    """A picture that makes the sample source answer so."""
    return JPEG + b"answer:" + msgspec.json.encode(check)


async def send(
    client: httpx.AsyncClient, *pictures: bytes, path: str = PAGE, **fields: str
) -> httpx.Response:
    files = [("images", (f"{n}.jpg", data, "image/jpeg")) for n, data in enumerate(pictures)]
    headers = {"accept": fields.pop("accept", "text/html")}
    return await client.post(
        path, data={"nonce": "nonce-1", "track": "A", **fields}, files=files, headers=headers
    )


async def test_an_item_with_an_enrolled_label_leads_to_its_check(client: httpx.AsyncClient) -> None:
    page = (await client.get(ITEM + samples.SERIAL)).text
    assert f'href="{PAGE}?lang=en"' in page and "Check this label with the camera" in page
    assert "用相机核对标签" in (await client.get(ITEM + samples.SERIAL, params={"lang": "zh-CN"})).text
    assert DOOR not in (await client.get(ITEM + RECALLED)).text


async def test_the_page_may_use_the_camera_and_what_the_reader_needs_and_no_other_page_may(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(PAGE)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "'unsafe-inline'" not in policy and "'unsafe-eval'" not in policy
    assert answer.headers["permissions-policy"].startswith("camera=(self)")
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-robots-tag"] == "noindex"
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))|<style|\son\w+=|style=", answer.text)
    other = (await client.get(ITEM + samples.SERIAL)).headers
    assert (
        "wasm" not in other["content-security-policy"]
        and "script-src" not in other["content-security-policy"]
    )
    assert other["permissions-policy"].startswith("camera=()")


async def test_everything_that_the_page_loads_is_ours_and_the_first_view_is_small(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get(PAGE, params={"lang": "zh-CN"})
    loaded = set(re.findall(r'(?:<link rel="stylesheet" href|<script src)="([^"]+)"', page.text))
    assert {served_path(name) for name in NAMES if "vendor" not in name} < loaded
    sizes = [len(page.content)]
    for path in loaded:
        answer = await client.get(path)
        assert path.startswith("/static/") and answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        sizes.append(len(answer.content))
    assert sum(sizes) <= 50_000, "uncompressed"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//(?!beian)", page.text)


async def test_the_shipped_reader_is_served_compressed_and_is_what_its_notice_says(
    client: httpx.AsyncClient,
) -> None:
    folder = resources.files("suyuan.web").joinpath("static/vendor")
    notice = folder.joinpath("NOTICE.txt").read_text("utf-8")
    named = dict(re.findall(r"^  (zxing_reader\.\w+) .*?(?:\d+) +([0-9a-f]{64})$", notice, re.MULTILINE))
    held = {one.name: one for one in folder.iterdir() if one.name != "NOTICE.txt"}
    assert set(named) == set(held) and "MIT License" in notice and "Apache License 2.0" in notice
    for name, digest in named.items():
        body = held[name].read_bytes()
        assert hashlib.sha256(body).hexdigest() == digest
        assert str(len(body)) in notice
        answer = await client.get(served_path(f"vendor/{name}"), headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip" and answer.content == body
    kind, wasm = served_files()[served_path("vendor/zxing_reader.wasm")]
    assert kind == "application/wasm" and len(gzip.compress(wasm)) < 450_000


@pytest.mark.parametrize(
    ("answer", "reasons", "words", "tone"),
    [
        ("matches", (), "The label matches its enrolment", "good"),
        ("differs", (), "The label does not match its enrolment", "alarm"),
        ("unclear", ("too_small", "glare"), "Could not tell", "caution"),
    ],
)
async def test_each_answer_says_what_it_means_and_what_to_do(
    client: httpx.AsyncClient, answer: Any, reasons: tuple[str, ...], words: str, tone: str
) -> None:
    for lang in ("en", "zh-CN"):
        told = await send(
            client,
            answering(LabelCheck(answer=answer, track="A", reasons=reasons)),
            path=f"{PAGE}?lang={lang}",
        )
        assert told.status_code == 200 and f'id="result" class="hero {tone}"' in told.text
        shown = told.text[told.text.index('id="result"') : told.text.index("</section>")]
        assert shown.count("<li>") == len(reasons)
        assert ("simulator" if lang == "en" else "模拟") in shown
        assert not re.search(r"fake|genuine product|counterfeit|正品|假", shown, re.IGNORECASE)
        assert words in shown or lang != "en"
        assert 'name="nonce" value="nonce-' in told.text, "it can be tried again"


def test_there_is_advice_for_every_reason() -> None:
    from suyuan.scans.label_wording import advice_of

    assert len(advice_of(REASONS)) == len(REASONS)


async def test_a_machine_gets_the_challenge_and_the_answer_as_json(
    client: httpx.AsyncClient, source: SampleSource
) -> None:
    asked = await client.get(f"{DOOR}{ITEM}{FIRST}", headers={"accept": "application/json"})
    challenge = asked.json()
    assert (
        challenge["track"] == "B"
        and challenge["path"] == ["up", "left", "down"]
        and challenge["frames"] == 24
    )
    told = await send(
        client, *[JPEG] * 24, path=f"{DOOR}{ITEM}{FIRST}?lang=zh-CN", nonce=challenge["nonce"], track="B",
        accept="application/json",
    )  # fmt: skip
    body = told.json()
    assert body["answer"] == "matches" and body["title"] == "标签与登记记录相符" and body["meaning"]
    assert source.sent == [(challenge["nonce"], "B", [len(JPEG)] * 24)]
    refused = await send(client, JPEG, nonce="old", accept="application/json")
    assert refused.status_code == 400 and refused.json()["code"] == "scan.label.nonce"
    assert refused.json()["title"] == "That took too long"


async def test_a_label_with_both_kinds_of_record_offers_both(client: httpx.AsyncClient) -> None:
    page = (await client.get(f"{DOOR}{ITEM}{MISSING}")).text
    assert 'data-track="A"' in page and "track=B" in page and 'capture="environment"' in page
    page = (await client.get(f"{DOOR}{ITEM}{MISSING}", params={"track": "B"})).text
    assert 'data-track="B"' in page and "multiple" in page and page.count('<ol class="way"><li>') == 1


async def test_a_label_that_was_never_enrolled_is_told_so_calmly(client: httpx.AsyncClient) -> None:
    for serial in (RECALLED, "NOPE"):
        answer = await client.get(f"{DOOR}{ITEM}{serial}")
        assert answer.status_code == 404 and "cannot be checked by its image" in answer.text
        assert 'class="hero calm"' in answer.text
    assert (await client.get(f"{DOOR}/01/{samples.GTIN}")).status_code == 404
    assert (await client.get(f"{DOOR}/01/123/21/1")).status_code == 400
    assert "does not exist" in (await client.get(f"{DOOR}{ITEM}{MALFORMED}")).text
    assert RECALLED not in LABELS


async def test_too_many_tries_and_a_voided_code_are_said(client: httpx.AsyncClient) -> None:
    held = await send(client, answering(LabelCheck(answer="unclear", track="A", retry_seconds=600)))
    assert held.status_code == 429 and held.headers["retry-after"] == "600" and "10 minutes" in held.text
    assert "taken out of use" in (await client.get(f"{DOOR}{ITEM}{VOIDED}")).text


async def test_another_site_may_not_send_pictures(client: httpx.AsyncClient, source: SampleSource) -> None:
    files = {"images": ("1.jpg", JPEG, "image/jpeg")}
    headers = {"sec-fetch-site": "cross-site", "accept": "application/json"}
    answer = await client.post(PAGE, data={"nonce": "nonce-1"}, files=files, headers=headers)
    assert answer.status_code == 403 and answer.json()["code"] == "web.label.other_site" and not source.sent


async def test_what_is_no_form_is_refused(client: httpx.AsyncClient, source: SampleSource) -> None:
    form = {"content-type": "multipart/form-data; boundary=xx", "accept": "application/json"}
    for headers, body, code in (
        ({"content-type": "application/x-www-form-urlencoded"}, b"nonce=1", "label.upload.type"),
        ({}, b"--xx\r\nrubbish", "label.upload.form"),
        ({}, b"--xx\r\nContent-Disposition: form-data; name=images\r\n\r\ncut off", "label.upload.form"),
        ({}, b"--xx\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xx--", "label.upload.field"),
    ):  # fmt: skip
        answer = await client.post(PAGE, headers={**form, **headers}, content=body)
        assert answer.json()["code"] == code
    assert not source.sent
    assert (await client.put(PAGE)).status_code == 405


async def test_a_picture_or_a_form_that_is_too_large_is_cut_off_while_it_is_read(
    client: httpx.AsyncClient, source: SampleSource
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--xx\r\nContent-Disposition: form-data; name="images"; filename="1.jpg"\r\n\r\n'
        while read < 200 << 20:
            read += 1 << 20
            yield b"\0" * (1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=xx", "accept": "application/json"}
    answer = await client.post(PAGE, headers=headers, content=endless())
    assert answer.status_code == 413 and answer.json()["code"] == "label.upload.too_large" and not source.sent
    many = await send(client, *[JPEG] * 60, accept="application/json")
    assert many.status_code == 413
    assert max(bounds.images for bounds in CHECK_BOUNDS.values()) < 60


async def test_whoever_sends_slowly_holds_up_nobody_elsewhere(
    source: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_uploads, "MAX_UPLOADS_FROM_ONE", 1)
    rooms, begun, rest = application(source=source), asyncio.Event(), asyncio.Event()

    async def placed(scope: Any, receive: Any, send: Any) -> None:
        scope["suyuan_address"] = dict(scope["headers"])[b"x-from"].decode()
        await rooms(scope, receive, send)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--xx\r\nContent-Disposition: form-data; name="nonce"\r\n\r\nnonce-1\r\n'
        begun.set()
        await rest.wait()
        yield b'--xx\r\nContent-Disposition: form-data; name="images"\r\n\r\n1\r\n--xx--'

    kind = {"content-type": "multipart/form-data; boundary=xx", "accept": "application/json"}
    sent = {"url": PAGE, "data": {"nonce": "nonce-1"}, "files": {"images": ("1.jpg", JPEG)}}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(placed),
        base_url="https://sy.example.cn",
        headers={"accept": kind["accept"]},
    ) as client:
        slow = asyncio.create_task(
            client.post(PAGE, content=slowly(), headers={**kind, "x-from": "192.0.2.1"})
        )
        await begun.wait()
        held = await client.post(**sent, headers={"x-from": "192.0.2.1"})
        assert held.status_code == 503 and held.json()["code"] == "label.upload.busy"
        assert held.json()["title"] == "当前请求过多"
        assert int(held.headers["retry-after"]) > 0
        page = await client.post(**sent, headers={"x-from": "192.0.2.1", "accept": "text/html"})
        assert (page.status_code, int(page.headers["retry-after"]) > 0) == (503, True)
        assert (await client.post(**sent, headers={"x-from": "192.0.2.2"})).json()["answer"] == "matches"
        rest.set()
        assert (await slow).json()["answer"] == "matches"


async def test_an_installation_that_cannot_look_at_images_says_so(
    client: httpx.AsyncClient, source: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(uri: str) -> None:
        raise UnsupportedError("label.extra", "This installation cannot look at images.")

    monkeypatch.setattr(source, "label_challenge", missing)
    answer = await client.get(PAGE, headers={"accept-language": "en"})
    assert answer.status_code == 415 and "cannot be checked by a photo on this server" in answer.text
    assert "says nothing about the label" in answer.text and "try again" not in answer.text
    answer = await client.get(PAGE, headers={"accept-language": "zh-CN"})
    assert "此服务器不支持拍照核对标签" in answer.text and "不说明标签有任何问题" in answer.text


def test_a_nonce_of_another_label_is_refused_under_this_address() -> None:
    keys = PatternKeys({"0": b"k" * 32})
    now = datetime.now(UTC)
    sealed = seal_nonce(keys, make_nonce(samples.GTIN, "A1", now))
    for uri in ("", f"https://id.gs1.org/01/{samples.GTIN}/21/A1"):
        assert open_nonce(keys, sealed, now, uri).serial == "A1"
    with pytest.raises(InputError, match=r"scan\.label\.nonce"):
        open_nonce(keys, sealed, now, f"https://id.gs1.org/01/{samples.GTIN}/21/A2")
