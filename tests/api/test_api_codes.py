"""Codes over HTTP: batches with progress and scratch codes, what is printed and voided, who may."""

from __future__ import annotations

import csv
import io
import json
import zipfile

from api_deployment import GTIN, LOT, OTHER_GTIN, Deployment

from suyuan.issuing import get_batch


async def issue(deployment: Deployment, count: int, **more: object) -> dict[str, object]:
    command = {"gtin": GTIN, "lot": LOT, "count": count, **more}
    answer = await deployment.client.post(
        "/api/v1/codes/issue", json=command, headers=deployment.bearer("maker")
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/codes/batches/{answer.json()['batch_id']}.csv"
    return dict(answer.json())


async def rows(deployment: Deployment, batch: dict[str, object]) -> list[dict[str, str]]:
    answer = await deployment.client.get(
        f"/api/v1/codes/batches/{batch['batch_id']}.csv", headers=deployment.bearer("maker")
    )
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_a_batch_tells_how_far_it_is(deployment: Deployment) -> None:
    headers = {**deployment.bearer("maker"), "Accept": "application/x-ndjson"}
    command = {"gtin": GTIN, "lot": LOT, "count": 120_000}
    lines = []
    async with deployment.client.stream(
        "POST", "/api/v1/codes/issue", json=command, headers=headers
    ) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            lines.append(json.loads(line))
    assert lines[:-1] == [{"issued": n, "count": 120_000} for n in (50_000, 100_000, 120_000)]
    batch = await get_batch(deployment.services.pool, lines[-1]["batch_id"])
    assert batch.count == 120_000
    assert lines[-1]["location"] == f"/api/v1/codes/batches/{batch.batch_id}.csv"
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM code") == 120_000


async def test_who_hangs_up_gets_no_codes(deployment: Deployment) -> None:
    headers = {**deployment.bearer("maker"), "Accept": "application/x-ndjson"}
    command = {"gtin": GTIN, "lot": LOT, "count": 3_000_000}
    async with deployment.client.stream(
        "POST", "/api/v1/codes/issue", json=command, headers=headers
    ) as answer:
        async for _ in answer.aiter_lines():
            break
    listed = await deployment.client.get(
        f"/api/v1/codes/batches?gtin={GTIN}", headers=deployment.bearer("maker")
    )
    assert listed.json() == []


async def test_scratch_codes_go_to_who_makes_labels(deployment: Deployment) -> None:
    batch = await issue(deployment, 3, scratch=True)
    made = await rows(deployment, batch)
    keys = deployment.services.scratch_keys
    expected = keys.codes("0", str(batch["scratch_key"]), GTIN, [row["serial"] for row in made])
    assert [row["scratch_code"] for row in made] == expected
    assert list(made[0]) == ["serial", "uri", "gtin", "lot", "scratch_code"]
    plain = await issue(deployment, 1)
    assert plain["scratch_key"] == ""
    assert list((await rows(deployment, plain))[0]) == ["serial", "uri", "gtin", "lot"]
    path = f"/api/v1/codes/batches/{batch['batch_id']}"
    headers = deployment.bearer("maker")
    labels = await deployment.client.get(f"{path}?format=svg&style=item-50x30", headers=headers)
    with zipfile.ZipFile(io.BytesIO(labels.content)) as drawings:
        texts = [drawings.read(name).decode() for name in drawings.namelist()]
    assert all(any(code in text for text in texts) for code in expected)
    refused = await deployment.client.get(f"{path}?format=svg&style=qr-25x25", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "issuing.scratch.style")
    # Nothing in the database says what stands under the layer.
    for table in ("code", "code_batch", "code_act", "code_state", "scan"):
        stored = await deployment.services.pool.fetch(f"SELECT * FROM {table}")
        assert not any(code in str(row.values()) for row in map(dict, stored) for code in expected)


async def test_printed_by_range_and_the_rest_voided(deployment: Deployment) -> None:
    batch = await issue(deployment, 10)
    headers = deployment.bearer("maker")
    printed = {"batch": batch["batch_id"], "from": 1, "to": 4, "facility": "urn:suyuan:place:NLZWO"}
    answer = await deployment.client.post("/api/v1/codes/printed", json=printed, headers=headers)
    assert (answer.status_code, answer.json()["count"]) == (200, 4)
    again = await deployment.client.post("/api/v1/codes/printed", json=printed, headers=headers)
    assert (again.json()["count"], again.json()["repeated"]) == (0, 4)
    rest = {"batch": batch["batch_id"], "unprinted": True, "reason": "the lot is packed"}
    other = await deployment.client.post("/api/v1/codes/void", json=rest, headers=deployment.bearer("broker"))
    assert (other.status_code, other.json()["code"]) == (404, "issuing.batch.unknown")
    answer = await deployment.client.post("/api/v1/codes/void", json=rest, headers=headers)
    assert (answer.status_code, answer.json()["count"]) == (200, 6)
    before = await deployment.counts()
    for path, command, status, code in (
        ("printed", {**printed, "to": 11}, 400, "issuing.range"),
        ("printed", {**printed, "to": 5}, 422, "issuing.code.voided"),
        ("printed", {**printed, "batch": 999}, 404, "issuing.batch.unknown"),
        ("printed", {"batch": 1, "from": 1}, 400, "http.body.field"),
        ("void", {**rest, "unprinted": False}, 400, "issuing.void.what"),
        ("void", {**rest, "serials": ["0A"]}, 400, "issuing.void.what"),
        ("void", {"unprinted": True, "reason": "x"}, 400, "issuing.void.what"),
        ("void", {**rest, "reason": ""}, 400, "issuing.reason"),
        (
            "void",
            {"gtin": OTHER_GTIN, "lot": LOT, "serials": ["0A"], "reason": "x"},
            403,
            "access.gtin.issuer",
        ),
    ):
        answer = await deployment.client.post(f"/api/v1/codes/{path}", json=command, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), command
    assert await deployment.counts() == before
