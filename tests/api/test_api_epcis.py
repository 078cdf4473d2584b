"""The EPCIS interface: capture, its jobs, single events, and to whom they are given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from api_deployment import GTIN, ITEM, Deployment, document, document_bytes, event

from suyuan.epcis import event_hash, read_json, read_xml_events, write_xml_document

JSONLD = {"Content-Type": "application/ld+json"}


async def the_event_id(deployment: Deployment) -> str:
    return str(
        await deployment.services.pool.fetchval("SELECT event_id FROM event ORDER BY event_key LIMIT 1")
    )


def path_of(event_id: str) -> str:
    return "/epcis/events/" + quote(event_id, safe="")


async def test_a_captured_event_is_given_back_whole(deployment: Deployment) -> None:
    answer = await deployment.client.post(
        "/epcis/capture", content=document_bytes(), headers={**deployment.bearer("maker"), **JSONLD}
    )
    assert (answer.status_code, answer.content) == (202, b"")
    job = await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))
    assert job.status_code == 200
    body = job.json()
    assert body.pop("createdAt") == body.pop("finishedAt")
    assert body == {
        "captureID": answer.headers["Location"].removeprefix("/epcis/capture/"),
        "running": False,
        "success": True,
        "captureErrorBehaviour": "rollback",
        "errors": [],
    }
    event_id = await the_event_id(deployment)
    found = await deployment.client.get(path_of(event_id), headers=deployment.bearer("maker"))
    assert found.headers["content-type"] == "application/ld+json"
    assert found.headers["gs1-epc-format"] == "Always_GS1_Digital_Link"
    (given,) = read_json(found.content)
    (sent,) = read_json(document_bytes())
    assert found.json()["type"] == "EPCISQueryDocument"
    assert given.event_id == event_id == event_hash(sent)
    assert given.record_time is not None
    assert event_hash(given) == event_hash(sent)


async def test_an_event_with_43_200_serials_comes_back_with_all_of_them(deployment: Deployment) -> None:
    serials = [f"https://id.gs1.org/01/{GTIN}/21/S{n}" for n in range(5000)]
    await deployment.capture("maker", event(epcList=serials, action="ADD", bizStep="commissioning"))
    answer = await deployment.client.get(
        path_of(await the_event_id(deployment)), headers=deployment.bearer("maker")
    )
    (given,) = read_json(answer.content)
    assert list(given.epc_list) == serials


async def test_xml_in_json_out_and_the_other_way(deployment: Deployment) -> None:
    xml = write_xml_document(read_json(document_bytes()))
    answer = await deployment.client.post(
        "/epcis/capture",
        content=xml,
        headers={**deployment.bearer("maker"), "Content-Type": "application/xml"},
    )
    assert answer.status_code == 202
    # The same event through the other syntax is known.
    await deployment.capture("maker")
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM event") == 1
    event_id = await the_event_id(deployment)
    assert (await deployment.client.get(path_of(event_id), headers=deployment.bearer("maker"))).json()
    as_xml = await deployment.client.get(
        path_of(event_id),
        headers={
            **deployment.bearer("maker"), "Accept": "application/xml", "GS1-EPC-Format": "Always_EPC_URN",
        },
    )  # fmt: skip
    assert as_xml.headers["content-type"] == "application/xml"
    assert as_xml.headers["gs1-epc-format"] == "Always_EPC_URN"
    assert read_xml_events(as_xml.content)[0].event_id == event_id


async def test_a_hash_id_may_come_with_its_version_unescaped(deployment: Deployment) -> None:
    await deployment.capture("maker")
    event_id = await the_event_id(deployment)
    answer = await deployment.client.get("/epcis/events/" + event_id, headers=deployment.bearer("maker"))
    assert answer.status_code == 200


async def test_an_event_is_private(deployment: Deployment) -> None:
    capture_id = await deployment.capture("maker")
    where = path_of(await the_event_id(deployment))
    for name, status in (("maker", 200), ("op", 200), ("broker", 404)):
        answer = await deployment.client.get(where, headers=deployment.bearer(name))
        assert answer.status_code == status, name
        job = await deployment.client.get(f"/epcis/capture/{capture_id}", headers=deployment.bearer(name))
        assert job.status_code == status, name
    assert answer.json()["type"] == "epcisException:NoSuchResourceException"
    # An ID that nobody captured looks the same.
    absent = await deployment.client.get(
        path_of("ni:///sha-256;00?ver=CBV2.0"), headers=deployment.bearer("broker")
    )
    assert absent.json()["code"] == answer.json()["code"] == "epcis.event.unknown"


async def test_error_declarations_stand_beside_their_event(deployment: Deployment) -> None:
    named = event(eventID="urn:uuid:9c7bd1d5-9b1c-4c5e-a58c-c1ccd2e9b7a1")
    await deployment.capture("maker", named)
    declared = {
        **named,
        "errorDeclaration": {"declarationTime": "2025-08-02T10:00:00Z", "reason": "did_not_occur"},
    }
    await deployment.capture("maker", declared)
    answer = await deployment.client.get(path_of(named["eventID"]), headers=deployment.bearer("maker"))
    first, second = read_json(answer.content)
    assert first.error_declaration is None
    assert second.error_declaration is not None
    assert second.event_id == first.event_id == named["eventID"]


async def test_the_same_document_again_is_the_same_capture(deployment: Deployment) -> None:
    assert await deployment.capture("maker") == await deployment.capture("maker")
    counts = await deployment.counts()
    other = event(eventTime="2025-08-01T11:00:00.000+02:00")
    await deployment.capture("maker", event(), other)
    assert (await deployment.counts())["event"] == counts["event"] + 1


async def test_rollback_leaves_nothing_of_a_document_with_one_bad_event(deployment: Deployment) -> None:
    before = await deployment.counts()
    bad = event(epcList=["https://id.gs1.org/01/09506000134353/21/A1"])
    answer = await deployment.client.post(
        "/epcis/capture", content=document_bytes(event(), bad), headers=deployment.bearer("maker")
    )
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "epcisException:ValidationException")
    assert problem["code"] == "gs1.check_digit"
    assert "eventList[1]" in problem["path"]
    assert await deployment.counts() == before


@pytest.mark.parametrize("syntax", ["json", "xml"])
async def test_proceed_stores_what_it_can_and_names_the_rest(deployment: Deployment, syntax: str) -> None:
    bad = event(epcList=["https://id.gs1.org/01/09506000134353/21/A1"])
    data = document_bytes(event(), bad, event(epcList=[ITEM + "2"]))
    if syntax == "xml":
        good = document_bytes(event(), event(epcList=[ITEM + "9"]), event(epcList=[ITEM + "2"]))
        data = write_xml_document(read_json(good)).replace(
            (ITEM + "9").encode(), b"https://id.gs1.org/01/09506000134353/21/A1"
        )
    answer = await deployment.client.post(
        "/epcis/capture",
        content=data,
        headers={**deployment.bearer("maker"), "GS1-Capture-Error-Behaviour": "proceed"},
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["gs1-capture-error-behaviour"] == "proceed"
    job = (await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))).json()
    assert (job["success"], job["captureErrorBehaviour"]) == (False, "proceed")
    (error,) = job["errors"]
    assert "gs1.check_digit" in error["detail"]
    assert "[1]" in error["path"] or "[2]" in error["path"]
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM event") == 2
    # What could not be read may hold personal data anywhere: the document lies encrypted as a whole.
    assert await deployment.services.pool.fetchval("SELECT skeleton FROM evidence_body") == b""


async def test_proceed_leaves_out_what_contradicts_an_earlier_event(deployment: Deployment) -> None:
    named = event(eventID="urn:uuid:9c7bd1d5-9b1c-4c5e-a58c-c1ccd2e9b7a1")
    await deployment.capture("maker", named)
    other = {**named, "eventTime": "2025-08-03T10:00:00.000+02:00"}
    headers = {**deployment.bearer("maker"), "GS1-Capture-Error-Behaviour": "proceed"}
    content = document_bytes(other, event(epcList=[ITEM + "7"]))
    answer = await deployment.client.post("/epcis/capture", content=content, headers=headers)
    assert answer.status_code == 202
    job = (await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))).json()
    assert "capture.event.conflict" in job["errors"][0]["detail"]
    refused = await deployment.client.post(
        "/epcis/capture", content=document_bytes(other), headers=deployment.bearer("maker")
    )
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "epcisException:ResourceAlreadyExistsException",
    )
    # Nothing at all to store is no capture.
    nothing = await deployment.client.post("/epcis/capture", content=document_bytes(other), headers=headers)
    assert nothing.status_code == 409


async def test_discovery(deployment: Deployment) -> None:
    for path, allow in (
        ("/epcis", {"OPTIONS"}),
        ("/epcis/capture", {"OPTIONS", "POST"}),
        ("/epcis/capture/x", {"OPTIONS", "GET"}),
        ("/epcis/events/x", {"OPTIONS", "GET"}),
    ):
        answer = await deployment.client.options(path)
        assert answer.status_code == 204, path
        assert set(re.split(r",\s*", answer.headers["allow"])) == allow, path
        assert answer.headers["gs1-epcis-version"] == answer.headers["gs1-epcis-max"] == "2.0.0"
        assert int(answer.headers["gs1-epcis-capture-file-size-limit"]) > 0


async def test_headers_that_are_refused(deployment: Deployment) -> None:
    before = await deployment.counts()
    for headers, status, code in (
        ({"Content-Type": "text/csv"}, 415, "epcis.content_type"),
        ({"GS1-EPCIS-Version": "1.2"}, 406, "epcis.version"),
        ({"GS1-EPCIS-Min": "2.1"}, 406, "epcis.version"),
        ({"GS1-EPCIS-Max": "1.2"}, 406, "epcis.version"),
        ({"GS1-Capture-Error-Behaviour": "ignore"}, 400, "epcis.capture.behaviour"),
        ({"Authorization": "Basic x"}, 401, "access.token.scheme"),
        ({"Authorization": "Bearer suyuan_x"}, 401, "access.token.malformed"),
        ({"Authorization": "Bearer suyuan_" + "a" * 52}, 401, "access.token.unknown"),
    ):
        answer = await deployment.client.post(
            "/epcis/capture", content=document_bytes(), headers={**deployment.bearer("maker"), **headers}
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
    assert await deployment.counts() == before


async def test_a_client_that_reads_neither_json_nor_xml(deployment: Deployment) -> None:
    await deployment.capture("maker")
    where = path_of(await the_event_id(deployment))
    for headers in ({"Accept": "text/html"}, {"GS1-EPC-Format": "Never_Translates"}):
        answer = await deployment.client.get(where, headers={**deployment.bearer("maker"), **headers})
        assert (answer.status_code, answer.json()["type"]) == (406, "epcisException:NotAcceptableException")


async def test_problems_in_xml_for_who_speaks_xml(deployment: Deployment) -> None:
    answer = await deployment.client.post(
        "/epcis/capture", content=b"<a/>", headers={"Accept": "application/xml"}
    )
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+xml"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert b"epcisException:SecurityException" in answer.content


async def test_other_papers_have_another_door(deployment: Deployment, request: pytest.FixtureRequest) -> None:
    root = Path(str(request.config.rootpath))
    paper = (root / "examples/bonded/papers/10-bonded-list-inv101.xml").read_bytes()
    before = await deployment.counts()
    answer = await deployment.client.post(
        "/epcis/capture", content=paper, headers=deployment.bearer("broker")
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "epcis.document.unknown")
    assert await deployment.counts() == before


async def test_what_is_too_large_is_refused_before_it_is_read(deployment: Deployment) -> None:
    """The length is announced and not sent: the answer comes all the same."""
    import asyncio

    url = httpx.URL(str(deployment.client.base_url))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /epcis/capture HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + deployment.tokens["maker"].encode()
        + b"\r\nContent-Length: 999999999999\r\n\r\n"
    )  # fmt: skip
    await writer.drain()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b" 413 " in head.split(b"\r\n")[0]
    writer.close()


def test_the_document_of_these_tests_is_one() -> None:
    assert json.loads(document_bytes()) == document()
