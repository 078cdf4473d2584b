"""Every mask at every door: a marked value in every field class, and who finds it where.

The table below says it by hand, not by asking the policy. ``S`` stands for pages and proofs, ``L`` for proofs alone.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_deployment import GTIN, ITEM, Deployment

from suyuan.disclosure.policy import load_policy
from suyuan.parties import Party, add_party, create_token, grant_role
from suyuan.proof.verification import verify_bundle

STRANGER = f"https://id.gs1.org/01/{GTIN}/21/CANSTRANGER"
CASE = "https://id.gs1.org/00/095060000000000015"
INPUT = "https://id.gs1.org/01/09506000134369/21/CANINPUT"
BUYER_CODE = "440196X771"

AUDIENCES = ("public", "member", "named", "owner", "inspector", "regulator", "deliverer", "operator")
# party: name at the doors, roles, customs code; what it delivers is said below
PARTIES: dict[str, tuple[tuple[tuple[str, str], ...], str | None]] = {
    "member": ((("forwarder", ""),), None),
    "named": ((), BUYER_CODE),
    "owner": ((("seller", GTIN),), None),
    "inspector": ((("inspector", GTIN),), None),
    "regulator": ((("regulator", ""),), None),
    "deliverer": ((("bonded-warehouse", ""),), None),
    "bystander": ((("forwarder", ""), ("inspector", ""), ("seller", "")), None),
    "elsewhere": ((("seller", "09506000134369"), ("inspector", "09506000134369")), None),
    "platform": ((("platform", ""),), None),
}


def _sees(**by_letter: str) -> dict[str, str]:
    """Audience to S or L, from letters of audiences: p m n o i r (deliverer and operator always see)."""
    found = {"deliverer": "S", "operator": "S"}
    for verdict, letters in by_letter.items():
        for letter in letters:
            found[next(name for name in AUDIENCES if name[0] == letter)] = verdict
    return found


# marked value -> field class, where it stands in the event, whether pages have a place for it, who sees it
FIELDS: dict[str, tuple[str, dict[str, Any], bool, dict[str, str]]] = {
    "516620251000772": (
        "public_document", {"paper": "urn:suyuan:declaration:516620251000772"}, True, _sees(S="pmnoir"),
    ),
    "COSU771": ("trade_document", {"paper": "urn:suyuan:bol:COSU771"}, True, _sees(L="p", S="mnoir")),
    "WMS771": ("internal_document", {"paper": "urn:suyuan:tally:WMS771"}, True, _sees(S="noir")),
    "PO771": ("other_document", {"paper": "urn:example:po:PO771"}, True, _sees(S="nr")),
    "CANSTRANGER": ("thing", {"epc": STRANGER}, True, _sees(S="r")),
    "CANLOT": ("thing_class", {"lot": f"https://id.gs1.org/01/{GTIN}/10/CANLOT"}, True, _sees(S="nr")),
    "771005": ("measure", {"suyuan:quantityExpected": "771005"}, True, _sees(S="noir")),
    "771008": ("quantity", {"amount": 771008}, True, _sees(S="noir")),
    "771006": ("price", {"suyuan:goodsValue": "771006"}, True, _sees(S="r")),
    BUYER_CODE: ("relation", {"suyuan:ebcCode": BUYER_CODE}, True, _sees(S="nr")),
    "urn:example:firm:SOLD771": ("relation", {"source": "urn:example:firm:SOLD771"}, False, _sees(S="nr")),
    "CANVESSEL": ("transport", {"suyuan:vessel": "CANVESSEL"}, True, _sees(S="pmnoir")),
    "CANMODE": ("clearance", {"suyuan:tradeMode": "CANMODE"}, True, _sees(S="pmnoir")),
    "CANTRUCK": ("haulage", {"suyuan:vehicleNo": "CANTRUCK"}, True, _sees(S="mnoir")),
    "CANLEDGER": ("customs_detail", {"suyuan:ledger": "CANLEDGER"}, True, _sees(S="mnoir")),
    "CANSEAL": ("inspection", {"suyuan:sealNo": "CANSEAL"}, True, _sees(S="pmnoir")),
    "CANPHOTO": ("inspection_detail", {"suyuan:photoDigest": "CANPHOTO"}, True, _sees(S="noir")),
    "CANREASON": ("recall", {"suyuan:measure": "CANREASON"}, True, _sees(S="r")),
    "CANSCAN": ("delivery_detail", {"suyuan:scanStatus": "CANSCAN"}, True, _sees(S="nor")),
    "CANODD": ("particular", {"suyuan:oddField": "CANODD"}, True, _sees(S="r")),
    "CANSTREET": ("foreign", {"strange:street": "CANSTREET"}, True, _sees()),
    "9520000077105": ("where", {"readPoint": {"id": "https://id.gs1.org/414/9520000077105"}}, True, _sees(S="pmnoir")),
    "urn:uuid:77100000-0000-4000-8000-000000000001": (
        "event_id", {"eventID": "urn:uuid:77100000-0000-4000-8000-000000000001"}, True, _sees(),
    ),
    "2025-08-05T07:07:07": ("when", {"eventTime": "2025-08-05T07:07:07.000Z"}, True, _sees(S="pmnoir")),
    "CANSTEP": ("what", {"bizStep": "urn:example:CANSTEP"}, True, _sees(S="pmnoir")),
}  # fmt: skip

# -- the events, from the table --------------------------------------------------------------------------------


def _marked(order: str, waybill: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "disposition": "in_transit",
        "epcList": [ITEM],
        "quantityList": [],
        "bizTransactionList": [
            {"type": f"urn:suyuan:btt:{uri.split(':')[3]}", "bizTransaction": uri} for uri in (order, waybill)
        ],
        "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 7.71, "uom": "CEL"}]}],
    }
    for _, place, _, _ in FIELDS.values():
        for key, value in place.items():
            if key == "paper":
                body["bizTransactionList"].append({"type": "urn:example:btt", "bizTransaction": value})
            elif key == "epc":
                body["epcList"].append(value)
            elif key == "lot":
                body["quantityList"].append({"epcClass": value, "quantity": 771004})
            elif key == "amount":
                own = f"https://id.gs1.org/01/{GTIN}/10/LOT-771"
                body["quantityList"].append({"epcClass": own, "quantity": value})
            elif key == "source":
                body["sourceList"] = [{"type": "possessing_party", "source": value}]
            else:
                body[key] = value
    return body


def _event(**fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": "2025-08-01T10:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        **fields,
    }


def _document(*events: dict[str, Any]) -> bytes:
    context = [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"suyuan": "urn:suyuan:ext", "strange": "urn:strange"},
    ]
    body = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2025-08-01T08:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(body).encode()


class Story:
    """A deployment with members of every standing and the marked events."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.tokens: dict[str, str] = {}
        self.vkey = deployment.services.signer.vkey

    async def tell(self) -> None:
        pool = self.deployment.services.pool
        for name, (roles, code) in PARTIES.items():
            party = Party(party_id=f"p-{name}", name_en=name.title(), name_zh=name, customs_code=code)
            await add_party(pool, party)
            for role, scope in roles:
                await grant_role(pool, party.party_id, role, scope)
            scopes = ("trace", "capture", "epcis.read")
            self.tokens[name] = (await create_token(pool, party.party_id, scopes))[1]
        self.tokens["operator"] = self.deployment.tokens["op"]
        order = "urn:suyuan:raw:order:440196X001:PERSONORDER771"
        waybill = "urn:suyuan:raw:waybill:440196X002:PERSONWAYBILL771"
        await self.say("deliverer", _marked(order, waybill))
        await self.say(
            "platform",
            _event(
                type="TransactionEvent",
                action="ADD",
                epcList=[],
                bizStep="urn:suyuan:bizstep:ordering",
                bizTransactionList=[{"type": "urn:suyuan:btt:order", "bizTransaction": order}],
                **{"suyuan:amountPaid": "771007"},
            ),
        )
        await self.say(
            "platform",
            {
                "type": "TransformationEvent",
                "eventTime": "2025-07-01T10:00:00Z",
                "eventTimeZoneOffset": "+00:00",
                "inputEPCList": [INPUT],
                "outputEPCList": [ITEM],
                "bizStep": "commissioning",
                "ilmd": {"cbvmda:lotNumber": "LOT-771"},
            },
            _event(type="AggregationEvent", action="ADD", parentID=CASE, childEPCs=[ITEM], bizStep="packing"),
        )
        await self.say(
            "member", _event(epcList=[ITEM], bizStep="departing", eventTime="2025-08-03T10:00:00Z")
        )
        await self.deployment.publish()

    async def say(self, name: str, *events: dict[str, Any]) -> None:
        answer = await self.deployment.client.post(
            "/epcis/capture", content=_document(*events), headers=self.bearer(name)
        )
        assert answer.status_code == 202, answer.text

    def bearer(self, name: str) -> dict[str, str]:
        return {} if name == "public" else {"Authorization": f"Bearer {self.tokens[name]}"}

    async def door(self, path: str, name: str, **headers: str) -> tuple[int, str]:
        params = {"uri": ITEM} if path.startswith("/api/") else None
        answer = await self.deployment.client.get(
            path, params=params, headers={**self.bearer(name), **headers}
        )
        return answer.status_code, answer.text


@pytest.fixture
async def story(deployment: Deployment) -> Story:
    told = Story(deployment)
    await told.tell()
    return told


async def test_every_mask_at_every_door(story: Story) -> None:
    vault = story.deployment.services.vault
    order = vault.pseudonym("order", "440196X001", "PERSONORDER771")
    waybill = vault.pseudonym("waybill", "440196X002", "PERSONWAYBILL771")
    for name in AUDIENCES:
        status, text = await story.door("/api/v1/trace", name)
        assert status == 200, (name, text)
        trace = json.loads(text)
        held = {"deliverer": "member", "named": "member"}.get(name, name)
        assert trace["audience"] == held
        marked = [fact for fact in trace["facts"] if fact["biz_step"] == "urn:example:CANSTEP"]
        assert len(marked) == 1
        expected = {value for value, (_, _, page, sees) in FIELDS.items() if page and sees.get(name) == "S"}
        seen = {value for value in FIELDS if value in text}
        assert seen == expected, (name, seen ^ expected)
        # A person's papers stay off pages but for who delivered them and the operator.
        assert ((order in text), (waybill in text)) == ((name in ("deliverer", "operator")),) * 2, name
        assert ("771004" in text) == (name in ("named", "regulator", "deliverer", "operator")), name
        assert ("CANINPUT" in text) == (name in ("inspector", "regulator", "operator")), name
        # What a buyer ordered: that it happened, and for how much.
        ordered = "bizstep:ordering" in text
        assert ordered == (name in ("owner", "regulator", "operator")), name
        assert ("771007" in text) == (name in ("regulator", "operator")), name
        assert all(fact["event_key"] == 0 for fact in trace["facts"]) or name == "operator"
        sight = {"deliverer": "delivered", "named": "named", "operator": "whole", "public": "public"}
        reason = {"owner": "product-owner", "inspector": "inspected-chain", "member": "on-chain"}
        assert marked[0]["sight"]["code"] == {**sight, **reason}.get(name, name)

        status, text = await story.door("/api/v1/bundle", name)
        assert status == 200, (name, text)
        report = verify_bundle(text.encode(), story.vkey)
        assert (report.audience, report.warnings) == (held, ())
        assert len(report.facts) >= len(
            [f for f in trace["facts"] if f["biz_step"] != "urn:suyuan:bizstep:ordering"]
        )
        expected = {value for value, (_, _, _, sees) in FIELDS.items() if sees.get(name) in ("S", "L")}
        seen = {value for value in FIELDS if value in text}
        assert seen == expected, (name, seen ^ expected)

        status, text = await story.door("/api/v1/coverage", name)
        assert status == 200
        allowed = {value for value, (_, _, _, sees) in FIELDS.items() if sees.get(name) == "S"}
        assert {value for value in FIELDS if value in text} <= allowed, name

    covered = {one for one, _, _, _ in FIELDS.values()}
    elsewhere = {
        "source",
        "correction",
        "container",
        "upstream",
        "product",
        "purchase_paper",
        "parcel_paper",
        "other",
    }
    assert covered | elsewhere == {one.name for one in load_policy().classes.all}


async def test_a_member_elsewhere_finds_nothing(story: Story) -> None:
    for name in ("elsewhere", "bystander"):
        for path in ("/api/v1/trace", "/api/v1/coverage", "/api/v1/bundle"):
            status, text = await story.door(path, name)
            assert status == 404, (path, text)
            assert not [value for value in FIELDS if value in text]
    # Its own word puts nobody on a chain, nor does a role for other goods: it sees that word and nothing else.
    code = {"suyuan:ebcCode": BUYER_CODE, "suyuan:goodsValue": "CANOWN"}
    await story.say("elsewhere", _event(epcList=[ITEM], bizStep="inspecting", **code))
    status, text = await story.door("/api/v1/trace", "elsewhere")
    trace = json.loads(text)
    assert (status, trace["audience"], len(trace["facts"])) == (200, "elsewhere", 1)
    assert trace["facts"][0]["sight"]["code"] == "delivered"
    assert trace["facts"][0]["attributes"] == {"goodsValue": "CANOWN", "ebcCode": BUYER_CODE}
    assert (trace["product"], trace["lot"], trace["state"], trace["standing"]) == ({}, "", "unknown", [])
    assert (await story.door("/api/v1/coverage", "elsewhere"))[0] == 404
    # Nor does it put anybody else on one.
    _, text = await story.door("/api/v1/trace", "named")
    assert "CANOWN" not in text


async def test_an_event_by_its_id_is_for_who_delivered_it_and_the_operator(story: Story) -> None:
    path = "/epcis/events/urn:uuid:77100000-0000-4000-8000-000000000001"
    for name in PARTIES:
        status, text = await story.door(path, name)
        assert status == (200 if name == "deliverer" else 404), name
        assert ("CANSTREET" in text) == (name == "deliverer")
    assert (await story.door(path, "operator"))[0] == 200
    assert (await story.door(path, "public"))[0] == 401


async def test_the_items_page_is_the_publics(story: Story) -> None:
    path = ITEM.removeprefix("https://id.gs1.org")
    allowed = {value for value, (_, _, _, sees) in FIELDS.items() if sees.get("public") == "S"}
    for headers in ({"accept": "text/html"}, {"accept": "application/json"}):
        for name in ("public", "regulator", "deliverer"):
            status, text = await story.door(path, name, **headers)
            assert status in (200, 307)
            seen = {value for value in FIELDS if value in text}
            assert seen <= allowed, (name, seen - allowed)
            assert "PERSON" not in text
            if "html" in headers["accept"]:
                assert "516620251000772" in seen


async def test_no_door_shows_a_persons_number(story: Story) -> None:
    for name in (*AUDIENCES, "elsewhere", "bystander"):
        for path in ("/api/v1/trace", "/api/v1/coverage", "/api/v1/bundle"):
            _, text = await story.door(path, name)
            assert "PERSONORDER" not in text
            assert "PERSONWAYBILL" not in text


async def test_a_token_that_may_not_read_traces_is_told_so(story: Story) -> None:
    pool = story.deployment.services.pool
    story.tokens["till"] = (await create_token(pool, "p-member", ("capture",)))[1]
    status, text = await story.door("/api/v1/trace", "till")
    assert (status, json.loads(text)["code"]) == (403, "access.scope.missing")
