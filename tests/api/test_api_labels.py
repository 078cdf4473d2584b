"""Labels through the doors: patterns in files for the printer, enrolments by form, checks by anybody."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import httpx
import pytest
from api_deployment import GTIN, LOT, Deployment
from label_world import picture

from suyuan.issuing import issue, iter_serials
from suyuan.parties import Party, add_party, create_token, grant_role
from suyuan.scans import label_checking

pytestmark = pytest.mark.usefixtures("image_processes")


async def _serials(deployment: Deployment, count: int = 2) -> list[str]:
    services = deployment.services
    batch = await issue(
        services.pool,
        services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=count,
        party_id="maker",
        pattern=services.pattern_keys,
    )
    return [serial async for part in iter_serials(services.pool, batch.batch_id) for serial in part]


def _printed(deployment: Deployment, serial: str) -> str:
    host = deployment.services.settings.code_host
    return f"http://{host}/01/{GTIN}/21/{serial}".upper()


async def _bearer(deployment: Deployment, party_id: str) -> dict[str, str]:
    _, secret = await create_token(deployment.services.pool, party_id, ("labels.enrol",))
    return {"Authorization": f"Bearer {secret}"}


async def _enrol(
    deployment: Deployment, serial: str, headers: dict[str, str], *images: bytes, **fields: str
) -> httpx.Response:
    uri = _printed(deployment, serial)
    sent = {"uri": uri, "track": "A", "style": "tag-50x25", "dpi": "812", **fields}
    parts = [("images", (f"{n}.png", image)) for n, image in enumerate(images or (picture(uri),))]
    return await deployment.client.post("/api/v1/labels/enrolments", data=sent, files=parts, headers=headers)


async def _check(deployment: Deployment, serial: str, *images: bytes, **fields: str) -> httpx.Response:
    uri = _printed(deployment, serial)
    if "nonce" not in fields:
        begun = await deployment.client.post("/api/v1/labels/challenges", json={"uri": uri})
        fields["nonce"] = begun.json().get("nonce", "")
    parts = [("images", (f"{n}.jpg", image)) for n, image in enumerate(images or (picture(uri),))]
    return await deployment.client.post("/api/v1/labels/checks", data=fields, files=parts)


async def test_from_the_printers_file_to_the_buyers_check(deployment: Deployment) -> None:
    maker = deployment.bearer("maker")
    command = {"gtin": GTIN, "lot": LOT, "count": 2, "pattern": True}
    both = await deployment.client.post(
        "/api/v1/codes/issue", json={**command, "scratch": True}, headers=maker
    )
    assert (both.status_code, both.json()["code"]) == (400, "issuing.pattern.scratch")
    batch = (await deployment.client.post("/api/v1/codes/issue", json=command, headers=maker)).json()
    assert len(batch["pattern_key"]) == 16
    path = f"/api/v1/codes/batches/{batch['batch_id']}"
    table = (await deployment.client.get(f"{path}.csv", headers=maker)).text
    assert table.splitlines()[0] == "serial,uri,gtin,lot"
    serials = [row["serial"] for row in csv.DictReader(io.StringIO(table))]
    drawn = await deployment.client.get(f"{path}?format=svg&style=tag-50x25", headers=maker)
    with zipfile.ZipFile(io.BytesIO(drawn.content)) as drawings:
        one, other = (drawings.read(name).decode() for name in sorted(drawings.namelist()))
    assert len(one) > 10_000
    assert one != other
    refused = await deployment.client.get(f"{path}?format=svg&style=item-40x20", headers=maker)
    assert (refused.status_code, refused.json()["code"]) == (400, "issuing.pattern.style")

    bearer = await _bearer(deployment, "maker")
    made = await _enrol(deployment, serials[0], bearer)
    assert (made.status_code, made.json()["method"], made.json()["repeated"]) == (201, "pattern/1", False)
    begun = await deployment.client.post(
        "/api/v1/labels/challenges", json={"uri": _printed(deployment, serials[0])}
    )
    assert begun.headers["cache-control"] == "no-store"
    challenge = begun.json()
    assert (challenge["tracks"], challenge["path"]) == (["A"], [])
    assert challenge["code_text"] == _printed(deployment, serials[0])
    answer = await _check(deployment, serials[0], nonce=challenge["nonce"])
    found = answer.json()
    assert (answer.status_code, found["answer"], found["score"]) == (200, "matches", 0.9)
    assert found["title_zh"] == "标签与登记记录相符"
    assert "simulator" in found["meaning_en"]
    assert "模拟" in found["meaning_zh"]
    again = await _check(deployment, serials[0], nonce=challenge["nonce"])
    assert (again.status_code, again.json()["code"]) == (409, "scan.label.nonce.used")
    story = await deployment.client.get(f"/api/v1/codes/{GTIN}/{serials[0]}", headers=maker)
    label = story.json()["label"]
    assert (label["tracks"], label["matches"], label["last"]["answer"]) == (["A"], 1, "matches")
    assert label["last"]["quality"] == {"pixels_per_symbol": 3.1}
    # The item's page tells that the label was enrolled, and by whom; the record's digest is nobody's.
    page = await deployment.client.get(
        f"/01/{GTIN}/21/{serials[0]}", headers={"Accept": "text/html", "Accept-Language": "zh"}
    )
    assert "标签已登记" in page.text
    assert "maker 公司" in page.text
    trace = await deployment.client.get("/api/v1/trace", params={"uri": _printed(deployment, serials[0])})
    assert "labelTrack" in trace.text
    whole = await deployment.client.get(
        "/api/v1/trace",
        params={"uri": _printed(deployment, serials[0])},
        headers=deployment.bearer("op"),
    )
    [digest] = [fact["attributes"]["labelRecord"] for fact in whole.json()["facts"]]
    assert digest not in trace.text + page.text
    metrics = (await deployment.client.get("/metrics")).text
    assert 'suyuan_label_checks_total{answer="matches",track="A"}' in metrics


async def test_who_enrols_what(deployment: Deployment) -> None:
    [serial, other] = await _serials(deployment)
    assert (await _enrol(deployment, serial, {}, b"unread")).status_code == 401
    without = await _enrol(deployment, serial, deployment.bearer("maker"), b"unread")
    assert (without.status_code, without.json()["code"]) == (403, "access.scope.missing")
    party = Party(party_id="printer", name_en="Printer", name_zh="标签厂")
    await add_party(deployment.services.pool, party)
    printer = await _bearer(deployment, "printer")
    stranger = await _enrol(deployment, serial, printer)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "enrolment.party")
    await grant_role(deployment.services.pool, "printer", "label-maker", GTIN)
    uri = _printed(deployment, serial)
    images = [picture(uri), picture(uri)]
    granted = await _bearer(deployment, "printer")
    first = await _enrol(deployment, serial, granted, *images)
    again = await _enrol(deployment, serial, granted, *images)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["enrolment_id"] == first.json()["enrolment_id"]
    clip = [picture(_printed(deployment, other)) for _ in range(160)]
    dynamic = await _enrol(deployment, other, granted, *clip, track="B", style="")
    assert (dynamic.status_code, dynamic.json()["track"]) == (201, "B")


async def test_what_a_form_can_be_wrong_in(deployment: Deployment) -> None:
    [serial, other] = await _serials(deployment)
    maker = await _bearer(deployment, "maker")
    uri = _printed(deployment, serial)
    counts = await deployment.counts()
    for fields, images, status, code in (
        ({"track": "C"}, (), 400, "enrolment.track"),
        ({"style": ""}, (), 400, "enrolment.placement"),
        ({"style": "no-such"}, (), 404, "printing.style"),
        ({"style": "item-40x20"}, (), 422, "printing.pattern.style"),
        ({"dpi": "many"}, (), 400, "printing.dpi"),
        ({"uri": "no uri"}, (), 400, "gs1.uri"),
        ({"uri": _printed(deployment, "0AAAAAAAAAAAAAAAAAAA")}, (), 422, "issuing.code.unknown"),
        ({}, (b"GIF89a a film",), 400, "label.image.form"),
        ({}, (picture(_printed(deployment, other)),), 400, "label.enrolment.other_code"),
        ({}, (picture(uri),) * 13, 400, "enrolment.images"),
        ({"track": "B"}, (picture(uri),) * 201, 413, "label.upload.too_large"),
    ):
        answer = await _enrol(deployment, serial, maker, *images, **fields)
        assert answer.status_code == status, (fields, answer.text)
        assert answer.json()["code"].startswith(code), (fields, answer.text)
    assert await deployment.counts() == counts


async def test_a_check_that_cannot_be_made_says_why(deployment: Deployment) -> None:
    client = deployment.client
    [serial, never] = await _serials(deployment)
    assert (await _enrol(deployment, serial, await _bearer(deployment, "maker"))).status_code == 201
    for uri in (
        _printed(deployment, never),
        f"https://id.gs1.org/01/{GTIN}/21/A1",
        f"https://id.gs1.org/01/{GTIN}",
    ):
        begun = await client.post("/api/v1/labels/challenges", json={"uri": uri})
        assert (begun.status_code, begun.json()["code"]) == (404, "scan.label.unknown"), uri
    uri = _printed(deployment, serial)
    for fields, images, status, code in (
        ({"nonce": "made up"}, (), 400, "scan.label.nonce"),
        ({"nonce": "x" * 4000}, (), 400, "scan.label.nonce"),
        ({"track": "B"}, (), 400, "scan.label.track"),
        ({"uri": _printed(deployment, never)}, (), 400, "scan.label.nonce"),
        ({"track": "Z"}, (), 400, "enrolment.track"),
        ({"place": "Hangzhou"}, (), 400, "scan.place.form"),
        ({}, (picture(uri),) * 4, 400, "scan.label.images"),
        ({}, (b"\x00\x00\x00\x18ftypmp42 a film, no photo",), 400, "label.image.form"),
        ({}, (b"x" * (12 * 1024 * 1024 + 1),), 413, "label.upload.too_large"),
    ):
        answer = await _check(deployment, serial, *images, **fields)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (fields, answer.text)
    other = await _check(deployment, serial, picture(_printed(deployment, never)))
    assert (other.status_code, other.json()["answer"], other.json()["reasons"]) == (
        200,
        "unclear",
        ["other_code"],
    )
    [advice] = other.json()["advice"]
    assert advice["text_zh"].startswith("画面中是另一件商品的码")
    for body, kind, status, code in (
        (b"{}", "application/json", 415, "label.upload.type"),
        (b"no form", "multipart/form-data; boundary=x", 400, "label.upload.form"),
        (b"--x\r\ncut off", "multipart/form-data; boundary=x", 400, "label.upload.form"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400, "label.upload.field"),
        (b"", "multipart/form-data", 415, "label.upload.type"),
    ):
        answer = await client.post("/api/v1/labels/checks", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (status, code), (body, answer.text)


async def test_tries_from_one_network_hold_up_nobody_else(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_checking, "PAIR_LIMIT", 4)
    [serial, other] = await _serials(deployment)
    maker = await _bearer(deployment, "maker")
    for one in (serial, other):
        assert (await _enrol(deployment, one, maker)).status_code == 201
    copy = picture(_printed(deployment, serial), "a copy")
    answers = [await _check(deployment, serial, copy) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    held: dict[str, Any] = answers[-1].json()
    assert 0 < int(answers[-1].headers["retry-after"]) == held["retry_seconds"] <= 900
    assert (held["answer"], held["title_zh"]) == ("unclear", "尝试次数过多")
    # The same network, another item: as if nothing had been.
    assert (await _check(deployment, other)).json()["answer"] == "matches"


async def test_the_doors_are_described(deployment: Deployment) -> None:
    paths = (await deployment.client.get("/schema")).json()["paths"]
    form = paths["/api/v1/labels/checks"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["images"]
    assert {"nonce", "uri", "track", "place", "images"} == set(form["properties"])
    assert "multipart/form-data" in paths["/api/v1/labels/enrolments"]["post"]["requestBody"]["content"]
