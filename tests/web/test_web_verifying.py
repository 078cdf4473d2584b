"""The form for a scratch code on an item's page: it works without JavaScript, and says no more than is proved."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from suyuan import settings as configuration
from suyuan.app import Services, open_services
from suyuan.asgi import opened
from suyuan.issuing import issue, iter_serials
from suyuan.issuing.alias_rows import rows_of_list
from suyuan.issuing.aliasing import import_aliases
from suyuan.issuing.foreign_codes import CodeSystem
from suyuan.parties import Party, add_party
from suyuan.scans import verifying

GTIN = "08710000001236"
site_services: dict[httpx.AsyncClient, Services] = {}
Site = tuple[httpx.AsyncClient, str, str, str]


@pytest.fixture
async def site(database_url: str, tmp_path) -> AsyncIterator[Site]:
    """A client, the path of an item with a scratch code, that code, and the path of one without."""
    configured = configuration.load({}, database_url=database_url, data_dir=tmp_path, port=8080)
    async with open_services(configured, migrate=False) as services:
        await add_party(services.pool, Party(party_id="maker", name_en="Maker", name_zh="厂商"))
        [serial, code] = await _one(services, scratch=True)
        [plain, _] = await _one(services, scratch=False)
        async with opened(services) as application:
            transport = httpx.ASGITransport(app=application, client=("192.0.2.9", 1))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://trace.example") as client:
                site_services[client] = services
                yield client, f"/01/{GTIN}/21/{serial}", code, f"/01/{GTIN}/21/{plain}"


async def _one(services: Services, *, scratch: bool) -> list[str]:
    keys = services.scratch_keys
    batch = await issue(
        services.pool, services.mac_keys, gtin=GTIN, lot="L1", count=1, party_id="maker",
        scratch=keys if scratch else None,
    )  # fmt: skip
    [serial] = [s async for part in iter_serials(services.pool, batch.batch_id) for s in part]
    return [serial, keys.codes("0", batch.scratch_key, GTIN, [serial])[0] if scratch else ""]


async def look(client: httpx.AsyncClient, path: str, lang: str = "en") -> str:
    answer = await client.get(f"{path}?lang={lang}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


async def test_the_form_stands_where_there_is_a_code_to_type(site: Site) -> None:
    client, path, _, plain = site
    page = await look(client, path)
    form = re.search(r'<form class="scratch" method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    assert form[1] == f"{path}?lang=en"
    assert '<label for="scratch-code">' in form[2]
    assert 'name="scratch_code"' in form[2]
    assert "Reading this page verifies nothing." in page
    assert "浏览本页不算验证" in await look(client, path, "zh-CN")
    assert "<form" not in await look(client, plain)
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


async def test_verifying_from_the_page(site: Site) -> None:
    client, path, code, plain = site

    async def post(typed: str, where: str = path, lang: str = "en") -> httpx.Response:
        return await client.post(f"{where}?lang={lang}", data={"scratch_code": typed})

    wrong = await post("0" * 12)
    assert (wrong.status_code, wrong.headers["Cache-Control"]) == (200, "no-store")
    assert "The code does not match this item" in wrong.text
    assert '<form class="scratch"' in wrong.text
    first = await post(f"{code[:4]} {code[4:8]} {code[8:]}".lower())
    assert "The code is right: first verification" in first.text
    assert "It does not prove what is inside the pack." in first.text
    assert code not in first.text
    assert "<form" not in first.text
    again = await post(code, lang="zh-CN")
    assert "刮开码正确，已验证 2 次" in again.text
    assert "首次验证时间为" in again.text
    typo = await post("12")
    assert (typo.status_code, "That is no scratch code" in typo.text) == (200, True)
    assert "This item has no scratch code" in (await post(code, plain)).text
    unknown = await post(code, f"/01/{GTIN}/21/0AAAAAAAAAAAAAAAAAAA")
    assert unknown.status_code == 404
    for told in (wrong, first, again, typo):
        words = re.sub(r"<[^>]+>", " ", told.text).lower()
        assert not any(word in words for word in ("genuine", "authentic", "fake", "正品", "假货"))
    page = await client.post(f"/item{path}", data={"scratch_code": code})
    assert (page.status_code, f'href="/item{path}?lang=' in page.text) == (200, True)


async def test_what_a_form_does_not_send(site: Site) -> None:
    client, path, _, _ = site
    long = await client.post(path, content=b"scratch_code=" + b"0" * 5000)
    assert (long.status_code, "这不是刮开码" in long.text) == (200, True)
    for body in (b"", b"\xff\xfe", b"other=1", b"&" * 900):
        answer = await client.post(path, content=body)
        assert (answer.status_code, "这不是刮开码" in answer.text) == (200, True)
    for method in ("PUT", "DELETE"):
        assert (await client.request(method, path)).status_code == 405
    assert (await client.post(f"/trace{path}", data={"scratch_code": "0" * 12})).status_code == 405
    assert (await client.post(f"/01/{GTIN}", data={"scratch_code": "0" * 12})).status_code == 404


async def test_another_systems_code_leads_to_the_item(site: Site) -> None:
    client, path, _, plain = site
    services = site_services[client]
    maker = await services.deliverer_of("maker")
    for system, code, where in (
        (CodeSystem("ccic"), "000000204200233", path),
        (CodeSystem("url"), "https://brand.example/x/123", path),
        (CodeSystem("city", "440100"), "NS-1", plain),
    ):
        rows = f"code,item\n{code},https://id.gs1.org{where}\n".encode()
        await import_aliases(
            services.pool, services.capture, system, rows_of_list(lambda rows=rows: io.BytesIO(rows)), maker
        )  # type: ignore[misc]
    for label, where in (
        ("/label/ccic/000000204200233", path),
        ("/label/url/https%3A%2F%2Fbrand.example%2Fx%2F123", path),
        ("/label/city-440100/NS-1", plain),
    ):
        answer = await client.get(f"{label}?lang=en", follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (307, f"{where}?lang=en")
    page = await client.get(
        "/label/ccic/000000204200233", headers={"Accept": "text/html"}, follow_redirects=True
    )
    assert page.status_code == 200
    assert "000000204200233" in page.text
    for label, status in (
        ("/label/ccic/000000204200234", 404),
        ("/label/ccic/204200233", 400),
        ("/label/rfid/1", 400),
        ("/label/city-44/NS-1", 400),
        ("/label/url/https%3A%2F%2Fbrand.example%2Fx%2F124", 404),
        ("/label/", 400),
        ("/label", 400),
    ):
        for accept in ("text/html", "application/json"):
            answer = await client.get(label, headers={"Accept": accept})
            assert answer.status_code == status, label
    assert (await client.post("/label/ccic/000000204200233")).status_code == 405


async def test_too_many_tries(site: Site) -> None:
    client, path, code, _ = site
    for _ in range(verifying.PAIR_LIMIT):
        await client.post(path, data={"scratch_code": "0" * 12})
    held = await client.post(f"{path}?lang=en", data={"scratch_code": code})
    assert (held.status_code, "Too many tries" in held.text) == (429, True)
    assert int(held.headers["Retry-After"]) > 0
