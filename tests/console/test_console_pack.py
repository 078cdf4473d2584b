"""The packing station's doors: who may, what a scan is, what becomes of an act, and where no number may stand."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from console_site import Site
from pack_site import (
    COURIER,
    GTIN,
    LOT,
    OTHER_GTIN,
    OTHER_SKU,
    SKU,
    WAYBILL,
    Warehouse,
    act,
    item,
    label,
    send,
    warehouse,
)

from suyuan.issuing.foreign_codes import CodeSystem


@pytest.fixture
async def house(site: Site) -> Warehouse:
    return await warehouse(site)


@pytest.fixture
async def client(house: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which the packer is signed in."""
    async with await house.site.signed_in(house.person) as opened:
        yield opened


def scan(text: str, **fields: str) -> dict[str, str]:
    return {"scan": str(uuid.uuid4()), "text": text, **fields}


async def test_only_workers_of_a_bonded_warehouse_get_in(house: Warehouse, client: httpx.AsyncClient) -> None:
    site = house.site
    async with site.browser() as nobody:
        assert (await nobody.get("/console/pack")).status_code == 303
        assert (await nobody.get("/console/pack/state")).status_code == 401
    for party, role, status, code in (
        ("haimen", "reader", 403, "user.role.missing"),
        ("op", "admin", 403, "station.role"),
    ):
        async with await site.signed_in(await site.person(f"{party}-{role}", party, role)) as other:
            assert (await other.get("/console/pack")).status_code == status
            assert (await other.get("/console/pack/state")).json()["error"]["code"] == code
            home = (await other.get("/console")).text
            token = re.findall(r'name="csrf" value="([0-9a-f]+)"', home)[0]
            refused = await send(other, "act", act("pack", item(house.good[0])), token)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, code)
            assert "/console/pack" not in home
    assert (await client.get("/console/pack")).status_code == 200
    assert 'href="/console/pack"' in (await client.get("/console")).text
    assert await site.services.pool.fetchval("SELECT count(*) FROM event WHERE rule = 'station/1'") == 0


async def test_every_post_needs_the_sessions_token(client: httpx.AsyncClient) -> None:
    for door in ("look", "act", "undo", "label"):
        assert (await send(client, door, {}, "0" * 40)).status_code == 403


async def test_the_page_loads_nothing_from_elsewhere_and_may_have_a_worker(client: httpx.AsyncClient) -> None:
    page = await client.get("/console/pack")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'; " in policy and "worker-src 'self'" in policy
    assert "script-src 'self' 'wasm-unsafe-eval'; " in policy and "'unsafe-" not in policy
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))|<style|\son\w+=|style=", page.text)
    worker = await client.get("/console/pack/worker.js")
    assert worker.headers["service-worker-allowed"] == "/console/pack"
    kept = re.findall(r'"((?:/console)?/static/[^"]+)"', worker.text)
    assert [path for path in kept if path.endswith(".wasm")]
    for path in kept:
        assert (await client.get(path)).status_code == 200, path
        assert path in page.text


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        (
            WAYBILL.lower(),
            {"want": "waybill", "courier": COURIER},
            {"ok": True, "kind": "waybill", "expected": []},
        ),
        (WAYBILL, {"want": "waybill"}, {"ok": False, "code": "station.courier.unknown"}),
        (SKU, {"want": "waybill", "courier": COURIER}, {"ok": False, "code": "station.waybill.first"}),
        ("7312345678909", {"want": "waybill", "courier": COURIER}, {"ok": True, "kind": "waybill"}),
        ("!!", {"want": "waybill", "courier": COURIER}, {"ok": False, "code": "station.waybill.form"}),
        (SKU, {}, {"ok": True, "kind": "class", "gtin": GTIN, "en": "Infant formula stage 3", "lots": [LOT]}),
        (f"]C101{GTIN}10{LOT}", {}, {"ok": True, "kind": "lot", "lot": LOT}),
        (f"]E0{SKU}", {}, {"ok": True, "kind": "class", "gtin": GTIN}),
        (f"]Q1https://id.example/01/{GTIN}/10/{LOT}", {}, {"ok": True, "kind": "lot", "lot": LOT}),
        (f"]C0{WAYBILL}", {"want": "waybill", "courier": COURIER}, {"ok": True, "kind": "waybill"}),
        ("rubbish", {}, {"ok": False, "code": "station.code.unread"}),
        ("(00)108710000000000010", {}, {"ok": True, "kind": "sscc"}),
    ],
)
async def test_a_scan_is_told_apart(
    client: httpx.AsyncClient, text: str, fields: dict[str, str], expected: dict[str, object]
) -> None:
    found = (await send(client, "look", scan(text, **fields))).json()
    assert {name: found.get(name) for name in expected} == expected


async def test_codes_are_refused_by_name_when_they_are_scanned(
    house: Warehouse, client: httpx.AsyncClient
) -> None:
    await send(client, "act", act("pack", item(house.good[0])))
    given = {"waybill": "SF990000", "courier": COURIER, "gtin": GTIN, "lot": LOT}
    for text, code in (
        (label(house.voided), "station.code.voided"),
        (label(house.recalled[0]), "station.code.recalled"),
        (label(house.other[0], OTHER_GTIN), "station.sku.wrong"),
        (label("NEVERISSUED"), "station.code.unknown"),
        (label(house.good[0]), "station.code.packed"),
    ):
        found = (await send(client, "look", scan(text, **given))).json()
        assert (found["ok"], found["code"]) == (False, code)
    other_lot = (await send(client, "look", scan(label(house.good[1]), **(given | {"lot": "L9"})))).json()
    assert other_lot["code"] == "station.code.other_lot"
    fine = (await send(client, "look", scan(label(house.good[1]), **given))).json()
    assert (fine["ok"], fine["lot"], fine["inactive"]) == (True, LOT, False)


async def test_what_was_ordered_is_told_with_the_waybill_and_held_to(
    house: Warehouse, client: httpx.AsyncClient
) -> None:
    await house.declared("SF7700000", **{f"g{GTIN}": 2})
    found = (await send(client, "look", scan("SF7700000", want="waybill"))).json()
    assert found["courier"] == COURIER
    [expected] = found["expected"]
    assert (expected["gtin"], expected["n"], expected["zh"]) == (GTIN, 2, "婴幼儿配方奶粉3段")
    too_many = act("pack", *(item(one) for one in house.good[:3]), waybill="SF7700000", courier="")
    assert (await send(client, "act", too_many)).json()["findings"][0]["code"] == "station.sku.enough"
    wrong = act("pack", item(house.other[0], OTHER_GTIN), waybill="SF7700000", courier="")
    assert (await send(client, "act", wrong)).json()["findings"][0]["code"] == "station.sku.wrong"
    assert OTHER_SKU != SKU


async def test_an_act_is_answered_once_and_undone_by_its_party(
    house: Warehouse, client: httpx.AsyncClient
) -> None:
    sent = act("pack", item(house.good[0]))
    assert [(await send(client, "act", sent)).json()["state"] for _ in range(2)] == ["stored", "repeat"]
    undo = {"act_id": sent["act_id"], "at": sent["at"]}
    assert [(await send(client, "undo", undo)).json()["state"] for _ in range(2)] == ["stored", "repeat"]
    other = act("pack", item(house.good[0]), waybill="SF990000")
    assert (await send(client, "act", other)).json()["state"] == "stored"


async def test_no_door_repeats_a_waybills_number(
    house: Warehouse, client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = [
        await send(client, "look", scan(WAYBILL, want="waybill", courier=COURIER)),
        await send(client, "look", scan(WAYBILL, want="waybill")),
        await send(client, "look", scan(label(house.good[0]), waybill=WAYBILL, courier=COURIER)),
        await send(client, "act", act("pack", item(house.voided))),
        await send(client, "act", act("pack", item(house.good[0]), courier="")),
        await send(client, "act", act("pack", item(house.good[0]), at=WAYBILL)),
        await send(client, "act", act("pack", item(house.good[0]))),
    ]
    for answer in answers:
        assert WAYBILL not in answer.text
        assert WAYBILL not in str(answer.url)
    assert answers[-1].json()["state"] == "stored"
    told = capfd.readouterr()
    assert WAYBILL not in told.out + told.err


async def test_a_label_is_drawn_as_zpl_and_binds(house: Warehouse, client: httpx.AsyncClient) -> None:
    order = {"draw": str(uuid.uuid4()), "gtin": GTIN, "lot": LOT}
    first, again = [(await send(client, "label", order)).json() for _ in range(2)]
    assert first == again
    assert first["zpl"].startswith("^XA")
    assert first["serial"] in house.good, "the voided code is skipped"
    bound = await send(client, "act", act("pack", item(first["serial"])))
    assert bound.json()["state"] == "stored"
    elsewhere = await send(client, "label", {**order, "lot": "L24001"})
    assert elsewhere.json()["error"]["code"] == "station.lot.not_here"


async def test_another_systems_code_is_the_item_that_bears_it(
    house: Warehouse, client: httpx.AsyncClient
) -> None:
    first, second, third = house.good[:3]
    await house.aliased(CodeSystem("ccic"), **{"000000204200233": first})
    await house.aliased(CodeSystem("city", "330200"), **{"330200251111000301": second})
    await house.aliased(CodeSystem("url"), **{"https://brand.example/x/123": third})
    given = {"waybill": "SF990000", "courier": COURIER, "gtin": GTIN}
    for text, serial in (
        ("000000204200233", first),
        (f"{house.site.base}/label/ccic/000000204200233", first),
        ("330200251111000301", second),
        ("https://brand.example/x/123", third),
    ):
        found = (await send(client, "look", scan(text, **given))).json()
        assert (found["ok"], found["kind"], found["uri"]) == (True, "item", item(serial)), text
        assert (found["serial"], found["lot"]) == (serial, LOT)
    await send(client, "act", act("pack", item(first)))
    packed = (await send(client, "look", scan("000000204200233", **given))).json()
    assert (packed["ok"], packed["code"]) == (False, "station.code.packed")
    for text, code in (
        ("000000204200999", "station.code.unknown"),
        ("https://brand.example/x/999", "station.code.unknown"),
        ("SOMETHING-ELSE", "station.code.unread"),
    ):
        assert (await send(client, "look", scan(text, **given))).json()["code"] == code


async def _drawn(client: httpx.AsyncClient, lot: str) -> str:
    order = {"draw": str(uuid.uuid4()), "gtin": GTIN, "lot": lot}
    return str((await send(client, "label", order)).json()["serial"])


async def test_a_drawn_label_becomes_active_with_its_parcel_or_it_is_said_why_not(
    house: Warehouse, client: httpx.AsyncClient
) -> None:
    pool = house.site.services.pool

    async def active() -> set[str]:
        rows = await pool.fetch("SELECT serial FROM code_state WHERE act = 'activated'")
        return {row["serial"] for row in rows}

    drawn = await _drawn(client, LOT)
    given = {"waybill": WAYBILL, "courier": COURIER}
    looked = (await send(client, "look", scan(label(drawn), **given))).json()
    assert (looked["ok"], looked["inactive"]) == (True, False), "it will be, by being packed"
    sent = act("pack", item(drawn), item(house.good[3]))
    done = [(await send(client, "act", sent)).json() for _ in range(2)]
    assert [one["state"] for one in done] == ["stored", "repeat"]
    assert [one["activation"]["activated"] for one in done] == [1, 0]
    assert await active() == {drawn}, "only what was drawn here, and once"

    await house.short_lot("L9", codes=3, received=1)
    first, second = await _drawn(client, "L9"), await _drawn(client, "L9")
    more = (await send(client, "act", act("pack", item(first), item(second), waybill="SF990000"))).json()
    assert more["state"] == "stored", "the parcel is packed all the same"
    assert more["activation"] == {"activated": 0, "refused": 2, "code": "issuing.allowance.exceeded"}
    assert await active() == {drawn}
    looked = (await send(client, "look", scan(label(first), kind="count"))).json()
    assert looked["inactive"] is False, "drawn, and still to be made active"
    await house.short_lot("L9", codes=0, received=1)
    again = act("pack", item(first), item(second), waybill="SF990000")
    assert (await send(client, "act", again)).json()["findings"], "it is in its parcel"
