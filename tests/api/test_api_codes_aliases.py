"""Other systems' codes over HTTP."""

from __future__ import annotations

from api_deployment import GTIN, LOT, Deployment


def label(number: int) -> str:
    return f"{204200000 + number:015d}"


async def issued(deployment: Deployment, count: int) -> tuple[int, list[str]]:
    headers = deployment.bearer("maker")
    answer = await deployment.client.post(
        "/api/v1/codes/issue", json={"gtin": GTIN, "lot": LOT, "count": count}, headers=headers
    )
    rows = await deployment.client.get(answer.headers["Location"], headers=headers)
    return answer.json()["batch_id"], [line.split(",")[1] for line in rows.text.splitlines()[1:]]


async def test_codes_come_as_a_list_and_as_a_range(deployment: Deployment) -> None:
    batch, uris = await issued(deployment, 20)
    headers = deployment.bearer("maker")
    rows = f"code,item\r\n{label(1)},{uris[0]}\r\n".encode()
    door = "/api/v1/codes/aliases"
    answer = await deployment.client.post(f"{door}?system=ccic", content=rows, headers=headers)
    assert (answer.status_code, answer.json()["count"]) == (201, 1), answer.text
    capture = answer.json()["capture_ids"][0]
    paper = await deployment.client.get(f"/api/v1/evidence/{capture}", headers=headers)
    assert (paper.json()["kind"], paper.json()["event_count"]) == ("suyuan/aliases", 1)
    span = {"system": "ccic", "batch": batch, "from": label(2), "to": label(6), "label": 2}
    answer = await deployment.client.post(f"{door}/range", json=span, headers=headers)
    assert (answer.status_code, answer.json()["count"]) == (201, 5)
    again = await deployment.client.post(f"{door}/range", json=span, headers=headers)
    assert (again.json()["count"], again.json()["repeated"]) == (0, 5)
    own = await deployment.client.post(
        f"{door}?system=url", content=f"code,item\nhttps://brand.example/x/123,{uris[3]}\n", headers=headers
    )
    assert own.status_code == 201
    for name in (f"urn:suyuan:label:ccic:{label(4)}", "https://brand.example/x/123"):
        found = await deployment.client.get(
            "/api/v1/trace", params={"uri": name}, headers=deployment.bearer("op")
        )
        assert found.status_code == 200, found.text
        assert [uri.rpartition("/")[2] for uri in found.json()["aliases"]] == [uris[3].rpartition("/")[2]]
    serial = uris[3].rpartition("/")[2]
    standing = await deployment.client.get(f"/api/v1/codes/{GTIN}/{serial}", headers=headers)
    assert set(standing.json()["aliases"]) == {
        f"urn:suyuan:label:ccic:{label(4)}",
        "https://brand.example/x/123",
    }


async def test_what_is_refused_imports_nothing(deployment: Deployment) -> None:
    batch, uris = await issued(deployment, 3)
    headers = deployment.bearer("maker")
    before = await deployment.counts()
    door = "/api/v1/codes/aliases"
    good = f"code,item\n{label(1)},{uris[0]}\n"
    for query, body, code in (
        ("system=ccic", f"{good}12,{uris[1]}\n", "issuing.alias.rows"),
        ("system=oid", good, "issuing.alias.system"),
        ("system=city", good, "issuing.alias.city"),
        ("system=ccic", "", "issuing.alias.columns"),
        ("", good, "http.parameter"),
    ):
        answer = await deployment.client.post(f"{door}?{query}", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code), (query, body)
    for name, status in (("broker", 400), ("reader", 403)):
        answer = await deployment.client.post(
            f"{door}?system=ccic", content=good, headers=deployment.bearer(name)
        )
        assert answer.status_code == status, answer.text
    span = {"system": "ccic", "batch": batch, "from": label(2), "to": label(6)}
    for changes, status, code in (
        ({}, 400, "issuing.alias.length"),
        ({"to": label(1)}, 400, "issuing.alias.range"),
        ({"batch": 77}, 404, "issuing.batch.unknown"),
        ({"from": "1", "to": "2"}, 400, "issuing.alias.rows"),
    ):
        answer = await deployment.client.post(f"{door}/range", json={**span, **changes}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
    assert await deployment.counts() == before
