"""Looking a person's document up by its number, and revealing: who learns what, and what is journalled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from api_deployment import ITEM, Deployment, event

from suyuan.parties import Party, add_party, create_token, grant_role
from suyuan.vault import list_reveals

ORDER, PARCEL, LIST = "EM-0001", "YT9900000000233", "51412025I000000456"
MALL_CODE, COURIER_CODE = "4401MALL01", "4401COUR01"
OTHER = ITEM[:-2] + "B7"


def raw(kind: str, issuer: str, number: str) -> str:
    return f"urn:suyuan:raw:{kind}:{issuer}:{number}"


def named(*uris: str) -> list[dict[str, str]]:
    return [{"type": f"urn:suyuan:btt:{uri.split(':')[3]}", "bizTransaction": uri} for uri in uris]


def ordered(order: str = ORDER, issuer: str = MALL_CODE, **more: Any) -> dict[str, Any]:
    return event(type="TransactionEvent", action="ADD", epcList=[], bizStep="urn:suyuan:bizstep:ordering",
                 disposition=None, bizTransactionList=named(raw("order", issuer, order)), **more)  # fmt: skip


def packed(item: str, parcel: str = PARCEL, order: str = ORDER, when: str = "2025-10-01", **more: Any) -> Any:
    return event(type="AggregationEvent", action="ADD", epcList=None, bizStep="packing", disposition=None,
                 eventTime=f"{when}T10:00:00.000+08:00", eventTimeZoneOffset="+08:00",
                 parentID=raw("waybill", COURIER_CODE, parcel), childEPCs=[item],
                 bizTransactionList=named(raw("order", MALL_CODE, order)), **more)  # fmt: skip


@pytest.fixture
async def mall(deployment: Deployment) -> AsyncIterator[Deployment]:
    """The deployment with a platform, a courier and a stranger; one order is packed and on its way."""
    services = deployment.services
    for name, code, role in (
        ("mall", MALL_CODE, "platform"),
        ("courier", COURIER_CODE, "courier"),
        ("nosy", "4401NOSY01", "platform"),
    ):
        party = Party(party_id=name, name_en=name.title(), name_zh=name, customs_code=code)
        await add_party(services.pool, party)
        await grant_role(services.pool, name, role, "")
        _, deployment.tokens[name] = await create_token(
            services.pool, name, ("capture", "trace", "personal.reveal")
        )
    await deployment.capture("mall", ordered())
    await deployment.capture("house", packed(ITEM))
    yield deployment


async def look_up(at: Deployment, caller: str, **command: Any) -> Any:
    asked = {"kind": "order", "number": ORDER, "reason": "complaint 17", **command}
    answer = await at.client.post("/api/v1/lookup", json=asked, headers=at.bearer(caller))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def things(found: Any) -> list[list[str]]:
    return [use["things"] for document in found["documents"] for use in document["uses"]]


async def test_an_order_leads_to_its_goods_without_its_issuer(mall: Deployment) -> None:
    found = await look_up(mall, "op", number=f" {ORDER.lower()} ")
    [document] = found["documents"]
    assert (document["kind"], document["issuer"]) == ("order", MALL_CODE)
    assert things(found) == [[ITEM]]
    assert ORDER.lower() not in str(found).lower()
    assert things(await look_up(mall, "op", issuer=MALL_CODE)) == [[ITEM]]
    assert things(await look_up(mall, "op", kind="waybill", number=PARCEL)) == [[ITEM]]
    nothing = await look_up(mall, "op", issuer="somebody else")
    assert nothing == {"token": "", "expires_at": None, "documents": []}


async def test_one_number_of_two_firms_has_two_candidates(mall: Deployment) -> None:
    await mall.capture("nosy", ordered(issuer="4401NOSY01"))
    found = await look_up(mall, "op")
    assert {document["issuer"]: len(document["uses"]) for document in found["documents"]} == {
        MALL_CODE: 1,
        "4401NOSY01": 1,
    }


async def test_a_waybill_number_that_is_used_again_has_two_uses(mall: Deployment) -> None:
    await mall.capture("house", packed(OTHER, order="EM-0002", when="2026-06-01"))
    found = await look_up(mall, "op", kind="waybill", number=PARCEL)
    [document] = found["documents"]
    assert [(use["since"][:10], use["things"]) for use in document["uses"]] == [
        ("2026-06-01", [OTHER]),
        ("2025-10-01", [ITEM]),
    ]
    # each order still has its own goods only
    assert things(await look_up(mall, "op")) == [[ITEM]]
    assert things(await look_up(mall, "op", number="EM-0002")) == [[OTHER]]


async def test_a_second_waybill_number_and_a_list_lead_to_the_parcel(mall: Deployment) -> None:
    second, parcel = raw("waybill", "SF", "SF1399000000233"), raw("waybill", COURIER_CODE, PARCEL)
    month = {"eventTime": "2025-10-03T10:00:00.000+08:00", "eventTimeZoneOffset": "+08:00"}
    alias = event(epcList=[parcel, second], bizStep="urn:suyuan:bizstep:aliasing", disposition=None, **month)
    # a firm that moved no parcel may say what it likes
    await mall.capture("broker", {**alias, "disposition": "active"})
    assert await look_up(mall, "op", kind="waybill", number="SF1399000000233")
    assert things(await look_up(mall, "op", kind="waybill", number="SF1399000000233")) == [[]]
    await mall.capture("courier", event(epcList=[parcel], bizStep="arriving", **month), alias)
    assert things(await look_up(mall, "op", kind="waybill", number="SF1399000000233")) == [[ITEM]]
    declared = event(type="TransactionEvent", action="ADD", epcList=[], disposition=None,
                     bizStep="urn:suyuan:bizstep:declaring",
                     bizTransactionList=named(raw("parcel-list", "", LIST), parcel))  # fmt: skip
    await mall.capture("broker", {**declared, "eventTime": "2025-10-02T10:00:00.000+08:00"})
    assert things(await look_up(mall, "op", kind="parcel-list", number=LIST)) == [[ITEM]]


async def test_a_paper_of_several_people_leads_nowhere(mall: Deployment) -> None:
    wave = event(type="TransactionEvent", action="ADD", epcList=[ITEM, OTHER], disposition=None,
                 bizStep="picking",
                 bizTransactionList=named(raw("order", "", "A1"), raw("order", "", "A2")))  # fmt: skip
    await mall.capture("house", wave)
    assert things(await look_up(mall, "op", number="A1")) == [[]]


async def test_a_made_up_paper_with_a_guessed_number_tells_nothing(mall: Deployment) -> None:
    assert (await look_up(mall, "nosy"))["documents"] == []
    await mall.capture("nosy", ordered(eventTime="2025-10-01T00:00:00.000+08:00"))
    guessed = await look_up(mall, "nosy")
    assert things(guessed) == [[]]
    # who numbered the order gets all of it, who packed it what it packed
    assert things(await look_up(mall, "mall")) == [[ITEM]]
    assert things(await look_up(mall, "house")) == [[ITEM]]


async def test_each_look_up_is_journalled_first(mall: Deployment) -> None:
    await look_up(mall, "op")
    await look_up(mall, "nosy", number="EM-9999", reason="just looking")
    miss, hit = await list_reveals(mall.services.pool)
    assert (hit.party_id, hit.reason) == ("op", "look-up of order: complaint 17")
    assert hit.actor.startswith("tk-") and hit.actor != miss.actor
    assert hit.subject_id == mall.services.vault.subject_id(("order", MALL_CODE, ORDER))
    assert (miss.party_id, miss.reason) == ("nosy", "look-up of order: just looking")
    for change, code in (
        ({"reason": " "}, "vault.reason"),
        ({"kind": "declaration"}, "vault.lookup.kind"),
        ({"number": ""}, "vault.number"),
    ):
        command = {"kind": "order", "number": ORDER, "reason": "complaint", **change}
        refused = await mall.client.post("/api/v1/lookup", json=command, headers=mall.bearer("op"))
        assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert len(await list_reveals(mall.services.pool)) == 2


async def test_a_token_gives_the_same_again_to_its_party_alone(
    mall: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await look_up(mall, "op")
    path = f"/api/v1/lookup/{found['token']}"
    assert (await mall.client.get(path, headers=mall.bearer("op"))).json() == found
    before = len(await list_reveals(mall.services.pool))
    for caller, token in (("mall", found["token"]), ("op", found["token"][:-4] + "AAAA"), ("op", "x")):
        refused = await mall.client.get(f"/api/v1/lookup/{token}", headers=mall.bearer(caller))
        assert (refused.status_code, refused.json()["code"]) == (404, "vault.token.unknown")
    assert len(await list_reveals(mall.services.pool)) == before
    assert (await mall.client.get(path)).status_code == 401
    assert (await mall.client.get(path, headers=mall.bearer("admin"))).status_code == 403


async def test_a_reveal_is_for_the_operator_and_who_delivered_it(mall: Deployment) -> None:
    [document] = (await look_up(mall, "op"))["documents"]

    async def reveal(caller: str, **command: str) -> Any:
        asked = {"reason": "complaint 17", **command}
        return await mall.client.post("/api/v1/reveal", json=asked, headers=mall.bearer(caller))

    for caller in ("op", "mall"):
        answer = await reveal(caller, document=document["uri"])
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json() == {"kind": "order", "issuer": MALL_CODE, "number": ORDER, "fields": []}
    assert [(r.party_id, r.reason) for r in await list_reveals(mall.services.pool)][:2] == [
        ("mall", "complaint 17"),
        ("op", "complaint 17"),
    ]
    assert all(r.actor.startswith("tk-") for r in await list_reveals(mall.services.pool))
    for uri in (document["uri"], document["uri"].replace("order", "payment"), "urn:suyuan:order:x"):
        answer = await reveal("nosy", document=uri)
        assert (answer.status_code, answer.json()["code"]) == (404, "vault.number.unknown")
    assert (await reveal("reader", document=document["uri"])).json()["code"] == "access.scope.missing"
    assert (await reveal("op")).json()["code"] == "vault.reveal.subject"
    assert (await reveal("op", document=document["uri"], reason="")).json()["code"] == "vault.reason"


async def test_the_personal_fields_of_a_paper_come_back(mall: Deployment) -> None:
    paper = await mall.capture("mall", ordered("EM-0003"))
    command = {"capture_id": paper, "reason": "complaint 17"}

    async def fields(caller: str, **more: str) -> Any:
        return await mall.client.post("/api/v1/reveal", json={**command, **more}, headers=mall.bearer(caller))

    for caller in ("op", "mall"):
        [field] = (await fields(caller)).json()["fields"]
        assert "EM-0003" in field["value"]
        assert (await fields(caller, path="no such")).json()["fields"] == []
    assert (await fields("nosy")).json()["code"] == "capture.unknown"
