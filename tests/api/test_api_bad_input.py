"""Bad input at every door: a stable code, the place, the reason, the remedy, and the database as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_deployment import GTIN, ITEM, LOT, Deployment, document, document_bytes, event

from suyuan.epcis import read_json, write_xml_document

XML = write_xml_document(read_json(document_bytes()))
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b"<EPCISDocument>&c;</EPCISDocument>"
)
NESTED = b"<EPCISDocument>" + b"<a>" * 1_000_000
NAMED = event(eventID="urn:uuid:9c7bd1d5-9b1c-4c5e-a58c-c1ccd2e9b7a1")
CSV = "单号,商品条码,数量\n".encode("utf-16")


def with_event(**changes: Any) -> bytes:
    return document_bytes(event(**changes))


# What is sent, and the code and the status that every door for papers answers with.
PAPERS: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, "capture.paper.empty"),
    "blank": (b" \r\n\t ", 400, "capture.paper.empty"),
    "nothing known": (b"\x89PNG\r\n\x1a\n" + bytes(64), 415, "capture.paper.unknown"),
    "truncated json": (document_bytes()[:-20], 400, "json.malformed"),
    "truncated xml": (XML[:-30], 400, "xml.malformed"),
    "wrong encoding": (
        document_bytes().replace(b"shipping", "发货".encode("gb18030")),
        400,
        "json.encoding.invalid",
    ),
    "wrong namespace": (
        XML.replace(b"urn:epcglobal:epcis:xsd:2", b"urn:other"),
        400,
        "epcis.namespace.unknown",
    ),
    "entity bomb": (BOMB, 400, "xml.doctype.forbidden"),
    "nested xml": (NESTED, 413, "xml.depth.exceeded"),
    "nested json": (b'{"type": "EPCISDocument", "x": ' + b"[" * 1_000_000, 413, "json.depth.exceeded"),
    "impossible date": (with_event(eventTime="2025-02-30T10:00:00Z"), 400, "epcis.event_time.invalid"),
    "check digit": (
        with_event(epcList=["https://id.gs1.org/01/09506000134353/21/A"]),
        400,
        "gs1.check_digit",
    ),
    "no events": (json.dumps(document()).encode().replace(b"eventList", b"eventLost"), 400, ""),
    "two contents": (document_bytes(NAMED, {**NAMED, "action": "ADD"}), 409, "capture.event.conflict"),
    "null character": (with_event(epcList=[ITEM + "\0"]), 400, ""),
    "half a character": (document_bytes().replace(b"in_transit", b"\\ud800"), 400, ""),
}


@pytest.mark.parametrize("door", ["/api/v1/evidence", "/epcis/capture"])
async def test_papers_that_are_refused(deployment: Deployment, door: str) -> None:
    before = await deployment.counts()
    failures = []
    for name, (data, status, code) in PAPERS.items():
        answer = await deployment.client.post(door, content=data, headers=deployment.bearer("maker"))
        problem = answer.json()
        other = door == "/epcis/capture" and name == "nothing known"
        expected = (400, "epcis.document.unknown") if other else (status, code or problem["code"])
        good = (
            (answer.status_code, problem["code"]) == expected
            and problem["detail"]
            and answer.headers["content-type"] == "application/problem+json"
            and "Traceback" not in answer.text
        )
        if not good:
            failures.append((name, answer.status_code, problem))
        assert await deployment.counts() == before, name
    assert not failures


async def test_the_same_id_with_other_content(deployment: Deployment) -> None:
    await deployment.capture("maker", NAMED)
    before = await deployment.counts()
    other = document_bytes({**NAMED, "disposition": "damaged"})
    for door in ("/api/v1/evidence", "/epcis/capture"):
        answer = await deployment.client.post(door, content=other, headers=deployment.bearer("maker"))
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "capture.event.conflict")
        assert "eventList[0]" in problem["path"]
        assert problem["remedy"]
        assert await deployment.counts() == before


async def test_another_sheet_than_a_table(deployment: Deployment) -> None:
    before = await deployment.counts()
    for name, data in (("list.csv", CSV), ("list.xlsx", b"PK\x03\x04 cut"), ("list.csv", b"a,b\n1,2\n")):
        answer = await deployment.client.post(
            "/api/v1/evidence", params={"name": name}, content=data, headers=deployment.bearer("maker")
        )
        assert answer.status_code in (400, 415), name
        assert answer.json()["code"].startswith(("sheet.", "capture.paper")), answer.text
        assert answer.json()["remedy"]
    assert await deployment.counts() == before


COMMANDS: list[tuple[str, str, str, bytes, int, str, str]] = [
    # door, method, token, body, status, code, path
    ("/api/v1/codes/issue", "POST", "maker", b"", 400, "http.body.empty", ""),
    ("/api/v1/codes/issue", "POST", "maker", b"{", 400, "http.body.json", ""),
    ("/api/v1/codes/issue", "POST", "maker", b"[]", 400, "http.body.field", ""),
    ("/api/v1/codes/issue", "POST", "maker", b"\xff\xfe", 400, "http.body.json", ""),
    ("/api/v1/codes/issue", "POST", "maker", b'{"gtin": ' + b"[" * 100_000, 400, "http.body.field", "gtin"),
    ("/api/v1/codes/issue", "POST", "maker", b'{"gtin": "09506000134352", "lot": "L"}', 400, "http.body.field", ""),
    (
        "/api/v1/codes/issue", "POST", "maker",
        b'{"gtin": "09506000134352", "lot": "L", "count": "3"}', 400, "http.body.field", "count",
    ),
    (
        "/api/v1/codes/issue", "POST", "maker",
        b'{"gtin": "09506000134352", "lot": "L", "count": 3, "colour": 1}', 400, "http.body.field", "",
    ),
    (
        "/api/v1/codes/issue", "POST", "maker",
        b'{"gtin": "09506000134353", "lot": "L", "count": 3}', 400, "issuing.gtin", "gtin",
    ),
    (
        "/api/v1/codes/issue", "POST", "maker",
        b'{"gtin": "09506000134352", "lot": "L", "count": 0}', 400, "issuing.count", "count",
    ),
    (
        "/api/v1/codes/issue", "POST", "maker",
        b'{"gtin": "09506000134352", "lot": "a b", "count": 1}', 400, "issuing.lot", "lot",
    ),
    (
        "/api/v1/codes/activate", "POST", "house",
        b'{"gtin": "09506000134352", "lot": "L", "serials": ["NOBODY"]}', 422, "issuing.code.unknown", "serials",
    ),
    (
        "/api/v1/codes/activate", "POST", "house",
        b'{"gtin": "09506000134352", "lot": "L", "serials": []}', 400, "issuing.serials.empty", "serials",
    ),
    (
        "/api/v1/codes/activate", "POST", "house",
        b'{"gtin": "09506000134352", "lot": "L", "serials": ["A"], "event_time": "2025-01-01T00:00:00"}',
        400, "issuing.event_time.naive", "event_time",
    ),
    (
        "/api/v1/codes/void", "POST", "maker",
        b'{"gtin": "09506000134352", "lot": "L", "serials": ["A"], "reason": " "}', 400, "issuing.reason", "reason",
    ),
    (
        "/api/v1/parties", "POST", "admin",
        b'{"party_id": "X", "name_en": "a", "name_zh": "b"}', 400, "party.id.form", "party_id",
    ),
    (
        "/api/v1/parties", "POST", "admin",
        b'{"party_id": "xy", "name_en": "a", "name_zh": "b", "gln": "9520000000012"}', 400, "party.gln.check", "gln",
    ),
    ("/api/v1/parties/maker/grants", "POST", "admin", b'{"role": "king"}', 400, "party.role.unknown", "role"),
    (
        "/api/v1/parties/maker/grants", "POST", "admin",
        b'{"role": "seller", "scope": "1"}', 400, "party.role.scope", "scope",
    ),
    ("/api/v1/parties/nobody/grants", "POST", "admin", b'{"role": "seller"}', 404, "party.unknown", "party_id"),
    ("/api/v1/parties/maker/tokens", "POST", "admin", b'{"scopes": []}', 400, "access.scope.unknown", "scopes"),
    ("/api/v1/parties/maker/tokens", "POST", "admin", b'{"scopes": ["all"]}', 400, "access.scope.unknown", "scopes"),
    ("/api/v1/parties/nobody/tokens", "POST", "admin", b'{"scopes": ["trace"]}', 404, "party.unknown", "party_id"),
    ("/api/v1/products", "PUT", "op", b'{"gtin": "123", "name_en": "x"}', 400, "catalog.gtin.form", "gtin"),
    (
        "/api/v1/products", "PUT", "op",
        b'[{"gtin": "09506000134353", "name_en": "x"}]', 400, "catalog.gtin.check", "gtin",
    ),
    ("/api/v1/products", "PUT", "op", b'[{"gtin": 1}]', 400, "http.body.field", "[0].gtin"),
    ("/api/v1/places", "PUT", "op", b'{"uri": "x", "name_en": "x"}', 400, "catalog.uri", "uri"),
]  # fmt: skip


async def test_commands_that_are_refused(deployment: Deployment) -> None:
    before = await deployment.counts()
    failures = []
    for door, method, token, body, status, code, path in COMMANDS:
        answer = await deployment.client.request(
            method,
            door,
            content=body,
            headers={**deployment.bearer(token), "Content-Type": "application/json"},
        )
        problem = answer.json()
        if (answer.status_code, problem["code"], problem.get("path", "")) != (status, code, path):
            failures.append((door, body[:80], answer.status_code, problem))
        assert problem["detail"].endswith("."), problem
    assert not failures
    assert await deployment.counts() == before


async def test_parameters_that_are_refused(deployment: Deployment) -> None:
    for path, code, field in (
        (f"/api/v1/balance?gtin=09506000134353&lot={LOT}", "issuing.gtin", "gtin"),
        (f"/api/v1/balance?gtin={GTIN}", "http.parameter", "lot"),
        ("/api/v1/parties?limit=many", "http.parameter", "limit"),
        ("/api/v1/codes/batches/1.pdf", "issuing.batch.unknown", "batch_id"),
        ("/api/v1/codes/batches/99999999999999999999.csv", "issuing.batch.unknown", "batch_id"),
        ("/api/v1/parties/nobody", "party.unknown", "party_id"),
        ("/api/v1/parties/nobody/tokens", "party.unknown", "party_id"),
        ("/api/v1/parties/nobody/grants", "party.unknown", "party_id"),
        ("/api/v1/evidence/nothing", "capture.unknown", "capture_id"),
    ):
        answer = await deployment.client.get(path, headers=deployment.bearer("op"))
        problem = answer.json()
        assert answer.status_code in (400, 404), path
        assert (problem["code"], problem["path"]) == (code, field), path


async def test_a_body_that_grows_beyond_its_limit_is_cut_off(deployment: Deployment) -> None:
    """Sent in chunks, without a length: the limit is held while it streams."""

    async def endless() -> Any:
        for _ in range(20):
            yield b" " * 1_000_000

    before = await deployment.counts()
    answer = await deployment.client.post(
        "/api/v1/codes/issue", content=endless(), headers=deployment.bearer("maker")
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "http.body.too_large")
    assert await deployment.counts() == before
