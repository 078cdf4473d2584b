"""A deployment of members of every standing towards one item, of which the marked events are told. Only read it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from api_deployment import Deployment, free_port, serving
from sight_table import (
    BUYER_CODE,
    CASE,
    CITY,
    COURIER_CODE,
    EVENTS,
    GTIN,
    INPUT,
    ITEM,
    MALL_CODE,
    MARKS,
    ORDER,
    PERSON,
    PLACE,
    WAYBILL,
    Mark,
)

from suyuan import settings
from suyuan.app import open_services
from suyuan.catalog import Place, put_places
from suyuan.db import embedded
from suyuan.parties import Party, add_party, create_token, grant_role
from suyuan.parties.sessions import open_session
from suyuan.parties.users import add_user

DATABASE = "sight"
READING = ("/api/v1/trace", "/api/v1/coverage", "/api/v1/bundle", "/api/v1/consignments")
# party: its roles, its customs code; the audiences are called as their parties
PARTIES: dict[str, tuple[tuple[tuple[str, str], ...], str | None]] = {
    "operator": ((("operator", ""),), None),
    "member": ((("forwarder", ""),), None),
    "named": ((), BUYER_CODE),
    "owner": ((("seller", GTIN),), None),
    "inspector": ((("inspector", GTIN),), None),
    "regulator": ((("regulator", ""),), None),
    "deliverer": ((("bonded-warehouse", ""),), None),
    "bystander": ((("forwarder", ""), ("inspector", ""), ("seller", "")), None),
    "elsewhere": ((("seller", "09506000134369"), ("inspector", "09506000134369")), None),
    "platform": ((("platform", ""),), None),
    "courier": ((("courier", ""),), None),
}
_ORDER = Path(__file__).parents[2] / "examples" / "bonded" / "papers" / "16-order-ceb311.xml"
_SCANS = f"""运单号,快递公司代码,扫描时间,时区,状态,城市,城市代码
PERSONWAYBILL771,{COURIER_CODE},2025-10-11 08:30:00,+08:00,派送中,成都,CNCTU
"""


def document(*events: dict[str, Any]) -> bytes:
    """An EPCIS document of these events, with two namespaces beside the standard's."""
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


def event(**fields: Any) -> dict[str, Any]:
    """One event; ``fields`` replace those that it has, None leaves one out."""
    whole = {
        "type": "ObjectEvent",
        "eventTime": "2025-08-01T10:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _put(body: dict[str, Any], key: str, value: Any) -> None:
    """Put a marked value where the table says."""
    own = f"https://id.gs1.org/01/{GTIN}/10/LOT-771"
    strange = f"https://id.gs1.org/01/{GTIN}/10/CANLOT"
    lists: dict[str, tuple[str, Any]] = {
        "paper": ("bizTransactionList", {"type": "urn:example:btt", "bizTransaction": value}),
        "epc": ("epcList", value),
        "lot": ("quantityList", {"epcClass": value}),
        "amount": ("quantityList", {"epcClass": own, "quantity": value}),
        "strange amount": ("quantityList", {"epcClass": strange, "quantity": value}),
        "source": ("sourceList", {"type": "possessing_party", "source": value}),
        "sensor": (
            "sensorElementList",
            {"sensorReport": [{"type": "Temperature", "value": value, "uom": "CEL"}]},
        ),
        "box": ("childQuantityList", {"epcClass": value, "quantity": 3}),
        "raw": ("inputQuantityList", {"epcClass": value}),
        "input": (
            "inputQuantityList",
            {"epcClass": INPUT.partition("/21/")[0] + "/10/IN-1", "quantity": value},
        ),
    }
    if key in lists:
        field, element = lists[key]
        body.setdefault(field, []).append(element)
    elif key not in ("wrong", "corrective"):
        body[key] = value


def marked_events() -> dict[str, dict[str, Any]]:
    """The deliverer's events by name, with what the table marks in them."""
    papers = [
        {"type": f"urn:suyuan:btt:{uri.split(':')[3]}", "bizTransaction": uri} for uri in (ORDER, WAYBILL)
    ]
    bodies = {
        "seen": event(disposition="in_transit", epcList=[ITEM], bizTransactionList=papers),
        "made": event(type="TransformationEvent", action=None, bizStep="commissioning", outputEPCList=[ITEM],
                      eventTime="2025-07-01T10:00:00Z"),
        "packed": event(type="AggregationEvent", action="ADD", childEPCs=[ITEM], bizStep="packing"),
        "wrong": event(epcList=[ITEM], bizStep="storing", eventTime="2025-08-02T10:00:00Z"),
        "recalled": event(epcList=[ITEM], bizStep="urn:suyuan:bizstep:recalling",
                          eventTime="2025-08-20T10:00:00Z"),
        "handed": event(type="AggregationEvent", action="ADD", parentID=WAYBILL, childEPCs=[ITEM],
                        bizStep="packing", eventTime="2025-08-09T10:00:00Z"),
    }  # fmt: skip
    for name, body in bodies.items():
        body |= {"eventID": EVENTS[name], "suyuan:ebcCode": BUYER_CODE}
    for mark in MARKS:
        if mark.event in bodies:
            for key, value in mark.place.items():
                _put(bodies[mark.event], key, value)
    return bodies


def withdrawal(body: dict[str, Any]) -> dict[str, Any]:
    """The declaration that takes an event back, with the reason and the corrective ID of the table."""
    told: dict[str, Any] = {}
    for mark in MARKS:
        if mark.event == "wrong":
            told |= mark.place
    declared = {
        "declarationTime": "2025-08-21T10:00:00Z",
        "reason": told["wrong"],
        "correctiveEventIDs": [told["corrective"]],
    }
    return {**body, "errorDeclaration": declared}


def order_paper() -> bytes:
    """A buyer's order that names the person of the table."""
    text = _ORDER.read_text("utf-8")
    number, payment, account, name, phone, identity, street = (
        "EM20251008201432000017", "2025100822001412345678901234", "mall-user-000017", "测试甲", "19900000001",
        "990101199001010019", "样板路1号",
    )  # fmt: skip
    for old, new in {
        number: PERSON[0], name: PERSON[2], phone: PERSON[3], identity: PERSON[4], street: PERSON[5],
        account: PERSON[6], payment: PERSON[7], "<ceb:goodsValue>396.00": "<ceb:goodsValue>771007.00",
        "<ceb:acturalPaid>432.04": "<ceb:acturalPaid>771043.04", "<ceb:totalPrice>396.00": "<ceb:totalPrice>771007.00",
        "<ceb:price>198.00": "<ceb:price>385503.50",
    }.items():  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


class Story:
    """The deployment, its parties' tokens, and browsers in which a user of each is signed in."""

    def __init__(self, deployment: Deployment, sessions: dict[str, str], marks: tuple[Mark, ...]) -> None:
        self.deployment = deployment
        self.sessions = sessions
        self.marks = marks
        self.vkey = deployment.services.signer.vkey

    def bearer(self, name: str) -> dict[str, str]:
        return {} if name == "public" else self.deployment.bearer(name)

    async def door(self, path: str, name: str, uri: str = ITEM, **headers: str) -> tuple[int, str]:
        """What a door of the machine interface, or a public page, answers a party."""
        answer = await self.deployment.client.get(
            path,
            params={"uri": uri} if path in READING else None,
            headers={**self.bearer(name), **headers},
        )
        return answer.status_code, answer.text

    async def console(self, path: str, name: str, lang: str = "en", **params: Any) -> tuple[int, str]:
        """What the console shows the user of a party."""
        cookies = {"suyuan_session": self.sessions[name]} if name in self.sessions else {}
        async with httpx.AsyncClient(
            base_url=self.deployment.client.base_url, cookies=cookies, trust_env=False, timeout=30
        ) as browser:
            answer = await browser.get(
                path, params={"uri": ITEM, **params}, headers={"accept-language": lang}
            )
        return answer.status_code, answer.text

    async def say(self, name: str, *events: dict[str, Any]) -> None:
        answer = await self.deployment.client.post(
            "/epcis/capture", content=document(*events), headers=self.bearer(name)
        )
        assert answer.status_code == 202, answer.text

    async def deliver(self, name: str, paper: bytes, file: str) -> str:
        answer = await self.deployment.client.post(
            "/api/v1/evidence", params={"name": file}, content=paper, headers=self.bearer(name)
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["capture_id"])


async def _members(deployment: Deployment) -> dict[str, str]:
    """Every party with a token and a user; the users' sessions."""
    pool, sessions = deployment.services.pool, {}
    for name, (roles, code) in PARTIES.items():
        title = {"deliverer": "CANFIRM", "platform": "CANMALL"}.get(name, name.title())
        party = Party(party_id=f"p-{name}", name_en=title, name_zh=title, customs_code=code)
        await add_party(pool, party)
        for role, scope in roles:
            await grant_role(pool, party.party_id, role, scope)
        scopes = ("trace", "capture", "epcis.read", "personal.reveal")
        _, deployment.tokens[name] = await create_token(
            pool, party.party_id, ("operator",) if name == "operator" else scopes
        )
        user = await add_user(pool, f"user-{name}", party.party_id, "admin")
        sessions[name] = await open_session(pool, user.user_id, "full")
    return sessions


async def tell(deployment: Deployment) -> tuple[Story, dict[str, str]]:
    """The story told and published; the captures of the person's papers."""
    sessions = await _members(deployment)
    places = [
        Place(uri=uri, name_en=name, name_zh=name) for uri, name in ((PLACE, "CANPLACE"), (CITY, "CANCITY"))
    ]
    await put_places(deployment.services.pool, places, recorded_by="p-operator")
    vault = deployment.services.vault
    names = {
        "{order}": vault.pseudonym("order", MALL_CODE, PERSON[0]),
        "{waybill}": vault.pseudonym("waybill", COURIER_CODE, PERSON[1]),
    }
    marks = tuple(
        mark._replace(text=names.get(mark.text, mark.text), stored=names.get(mark.stored, mark.stored))
        for mark in MARKS
    )
    story = Story(deployment, sessions, marks)
    bodies = marked_events()
    await story.say("deliverer", *bodies.values())
    await story.say("deliverer", withdrawal(bodies["wrong"]))
    commissioned = event(action="ADD", bizStep="commissioning", eventTime="2025-06-01T10:00:00Z")
    await story.say("courier", {**commissioned, "epcList": [INPUT]})
    await story.say("courier", event(epcList=[CASE], bizStep="arriving", eventTime="2025-08-04T10:00:00Z"))
    await story.say("member", event(epcList=[ITEM], bizStep="departing", eventTime="2025-08-03T10:00:00Z"))
    captures = {
        "platform": await story.deliver("platform", order_paper(), "order.xml"),
        "courier": await story.deliver("courier", _SCANS.encode(), "scans.csv"),
    }
    await deployment.publish()
    return story, captures


@pytest.fixture(scope="session")
async def told(
    pg_server: embedded.Server, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Story, dict[str, str]]]:
    connection = await asyncpg.connect(pg_server.dsn)
    await connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {_template} STRATEGY file_copy")
    await connection.close()
    port = free_port()
    configured = settings.load(
        {},
        database_url=pg_server.database_dsn(DATABASE),
        data_dir=tmp_path_factory.mktemp("sight"),
        port=port,
        base_url=f"http://127.0.0.1:{port}",
    )
    async with open_services(configured, migrate=False) as services, serving(services, port) as client:
        yield await tell(Deployment(client, services, {}))


@pytest.fixture(scope="session")
def story(told: tuple[Story, dict[str, str]]) -> Story:
    """The story, told once for all tests."""
    return told[0]


@pytest.fixture(scope="session")
def captures(told: tuple[Story, dict[str, str]]) -> dict[str, str]:
    """The captures of the papers that name a person, by who delivered them."""
    return told[1]
