"""Mappings stored once per party: whose they are, their versions, and the scans that they read from then on."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_deployment import Deployment

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mappings"
FLAT = (EXAMPLES / "flat.toml").read_bytes()
SCANS = (EXAMPLES / "flat.csv").read_bytes()
DOOR = "/api/v1/parties/broker/mappings/flat"


async def put(deployment: Deployment, name: str, door: str = DOOR, text: bytes = FLAT):  # type: ignore[no-untyped-def]
    return await deployment.client.put(door, content=text, headers=deployment.bearer(name))


async def send(deployment: Deployment, data: bytes, query: str = "", name: str = "broker"):  # type: ignore[no-untyped-def]
    return await deployment.client.post(
        f"/api/v1/evidence{query}", content=data, headers=deployment.bearer(name)
    )


async def test_scans_are_read_by_what_their_party_stored_once(deployment: Deployment) -> None:
    before = await send(deployment, SCANS)
    assert before.status_code == 415
    answer = await put(deployment, "broker")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], answer.json()["version"]) == ("flat", 1)
    taken = await send(deployment, SCANS)
    assert taken.status_code == 201, taken.text
    body = taken.json()
    assert (body["kind"], body["event_count"]) == ("scan/courier", 4)
    assert [warning["code"] for warning in body["warnings"]] == ["sheet.mapping.stored"]
    assert "flat, version 1" in body["warnings"][0]["reason"]
    again = await send(deployment, SCANS)
    assert again.status_code == 200
    assert again.json()["capture_id"] == body["capture_id"]
    # The evidence holds the mapping with the scans.
    skeleton = await deployment.services.pool.fetchval(
        "SELECT skeleton FROM evidence_body JOIN evidence USING (evidence_id) WHERE capture_id = $1",
        body["capture_id"],
    )
    assert bytes(skeleton).startswith(b"#suyuan:mapping\n# flat, version 1\n")
    assert b"SF0099000000017" not in bytes(skeleton)


async def test_a_mapping_reads_the_scans_of_its_party_alone(deployment: Deployment) -> None:
    await put(deployment, "broker")
    assert (await send(deployment, SCANS, name="house")).status_code == 415
    assert (await send(deployment, SCANS, "?mapping=flat", name="house")).json()["code"] == "mapping.unknown"


async def test_what_fits_none_is_told_so(deployment: Deployment) -> None:
    await put(deployment, "broker")
    answer = await send(deployment, "快件单号,操作时刻\nSF1,2025-10-08 23:25\n".encode(), "?name=a.csv")
    assert (answer.status_code, answer.json()["code"]) == (400, "sheet.mapping.none")
    assert "操作名称" in answer.json()["detail"]
    assert answer.json()["remedy"]
    counts = await deployment.counts()
    assert counts["evidence"] == 0


async def test_a_correction_is_a_version_and_counts_from_then_on(deployment: Deployment) -> None:
    await put(deployment, "broker")
    assert (await put(deployment, "broker")).json()["version"] == 1
    first = await send(deployment, SCANS)
    other = FLAT.replace(b'carrier = "440196X001"', b'carrier = "310196Z044"')
    assert (await put(deployment, "broker", text=other)).json()["version"] == 2
    second = await send(deployment, SCANS)
    assert second.status_code == 201
    assert first.json()["capture_id"] != second.json()["capture_id"]
    assert "version 2" in second.json()["warnings"][0]["reason"]
    head = deployment.bearer("broker")
    assert (await deployment.client.get(f"{DOOR}?version=1", headers=head)).content == FLAT
    newest = await deployment.client.get(DOOR, headers=head)
    assert newest.content == other
    assert newest.headers["content-type"].startswith("application/toml")
    ended = await deployment.client.delete(DOOR, headers=head)
    assert (ended.json()["version"], ended.json()["withdrawn"]) == (3, True)
    assert (await send(deployment, SCANS)).status_code == 415
    assert (await deployment.client.get(DOOR, headers=head)).status_code == 404
    listed = await deployment.client.get("/api/v1/parties/broker/mappings?versions=true", headers=head)
    assert [(one["version"], one["withdrawn"]) for one in listed.json()] == [
        (3, True),
        (2, False),
        (1, False),
    ]


async def test_one_that_is_meant_can_be_named(deployment: Deployment) -> None:
    await put(deployment, "broker")
    other = FLAT.replace(b'carrier = "440196X001"', b'carrier = "310196Z044"')
    await put(deployment, "broker", "/api/v1/parties/broker/mappings/other", other)
    answer = await send(deployment, SCANS)
    assert (answer.status_code, answer.json()["code"]) == (400, "sheet.mapping.ambiguous")
    assert (await send(deployment, SCANS, "?mapping=other")).status_code == 201
    assert (await send(deployment, SCANS, "?mapping=third")).json()["code"] == "mapping.unknown"


async def test_mappings_belong_to_their_party(deployment: Deployment) -> None:
    assert (await put(deployment, "house")).status_code == 403
    assert (await put(deployment, "reader")).status_code == 403
    assert (await put(deployment, "admin")).status_code == 403  # of the same party, without the scope capture
    assert (await put(deployment, "admin", "/api/v1/parties/house/mappings/flat")).status_code == 200
    assert (await put(deployment, "op")).status_code == 200
    answer = await put(deployment, "op", "/api/v1/parties/nobody/mappings/flat")
    assert (answer.status_code, answer.json()["code"]) == (404, "party.unknown")
    for name, door, text, code in (
        ("broker", "/api/v1/parties/broker/mappings/No_Name", FLAT, "mapping.name"),
        ("broker", DOOR, b'format = "csv"\n[fields]\nwaybill = "a"\n', "sheet.mapping.incomplete"),
        ("broker", DOOR, b"format = ", "sheet.mapping.malformed"),
    ):
        answer = await put(deployment, name, door, text)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    big = await put(deployment, "broker", text=b"#" * 70_000)
    assert big.status_code == 413


@pytest.mark.parametrize("statement", ["UPDATE scan_mapping SET text = ''", "DELETE FROM scan_mapping"])
async def test_a_version_never_changes(deployment: Deployment, statement: str) -> None:
    await put(deployment, "broker")
    with pytest.raises(Exception, match="stored rows never change"):
        await deployment.services.pool.execute(statement)
