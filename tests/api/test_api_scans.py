"""Verifying over HTTP, without a token; and the standing of a code for those it concerns."""

from __future__ import annotations

import pytest
from api_deployment import GTIN, LOT, Deployment, event

from suyuan.issuing import issue, iter_serials
from suyuan.scans import verifying


async def a_code(deployment: Deployment) -> tuple[str, str]:
    services = deployment.services
    batch = await issue(
        services.pool,
        services.mac_keys,
        gtin=GTIN,
        lot=LOT,
        count=1,
        party_id="maker",
        scratch=services.scratch_keys,
    )
    [serial] = [s async for part in iter_serials(services.pool, batch.batch_id) for s in part]
    return serial, services.scratch_keys.codes("0", batch.scratch_key, GTIN, [serial])[0]


async def test_anybody_verifies_and_learns_no_more_than_is_proved(deployment: Deployment) -> None:
    serial, code = await a_code(deployment)
    command = {"uri": f"HTTPS://SHOP.EXAMPLE/01/{GTIN}/21/{serial}", "scratch_code": code, "place": "CNHGH"}

    async def verify(**changes: object) -> dict[str, object]:
        answer = await deployment.client.post("/api/v1/scans/verify", json={**command, **changes})
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return dict(answer.json())

    wrong = await verify(scratch_code="000000000000")
    assert (wrong["result"], wrong["first_at"], wrong["count"]) == ("wrong", None, 0)
    first = await verify(scratch_code=f"{code[:4]}-{code[4:8]}-{code[8:]}".lower())
    assert (first["result"], first["count"]) == ("first", 1)
    again = await verify()
    assert (again["result"], again["count"], again["first_at"]) == ("repeated", 2, first["first_at"])
    other = await verify(uri=f"https://id.gs1.org/01/{GTIN}/21/A1")
    assert other["result"] == "not_applicable"
    for answer in (wrong, first, again, other):
        told = f"{answer['title_en']} {answer['text_en']} {answer['title_zh']} {answer['text_zh']}".lower()
        assert not any(
            word in told for word in ("genuine", "authentic", "fake", "counterfeit", "正品", "假货", "真品")
        )
        assert all(answer[name] for name in ("title_en", "title_zh", "text_en", "text_zh"))


async def test_a_look_at_the_page_verifies_nothing(deployment: Deployment) -> None:
    serial, _ = await a_code(deployment)
    for path in (
        f"/01/{GTIN}/21/{serial}",
        f"/trace/01/{GTIN}/21/{serial}",
        f"/api/v1/trace?uri=https://id.gs1.org/01/{GTIN}/21/{serial}",
    ):
        answer = await deployment.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
    assert await deployment.services.pool.fetchval("SELECT count(*) FROM scan WHERE kind = 'scratch'") == 0


async def test_too_many_tries(deployment: Deployment) -> None:
    serial, code = await a_code(deployment)
    command = {"uri": f"https://id.gs1.org/01/{GTIN}/21/{serial}", "scratch_code": "0" * 12}
    for _ in range(verifying.PAIR_LIMIT):
        answer = await deployment.client.post("/api/v1/scans/verify", json=command)
        assert answer.json()["result"] == "wrong"
    answer = await deployment.client.post("/api/v1/scans/verify", json={**command, "scratch_code": code})
    assert (answer.status_code, answer.json()["result"]) == (429, "too_many")
    assert int(answer.headers["Retry-After"]) == answer.json()["retry_seconds"] > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scratch_code": "123"}, "scan.code.form"),
        ({"place": "here"}, "scan.place.form"),
        ({"uri": f"https://id.gs1.org/01/{GTIN}"}, "scan.uri.item"),
        ({"uri": "urn:suyuan:bol:X1"}, "scan.uri.item"),
        ({"uri": "https://id.gs1.org/01/09506000134353/21/A1"}, "gs1.check_digit"),
        ({"uri": "nothing"}, "trace.uri.form"),
        ({"more": 1}, "http.body.field"),
    ],
)
async def test_what_is_no_verification(deployment: Deployment, changes: dict[str, object], code: str) -> None:
    command = {"uri": f"https://id.gs1.org/01/{GTIN}/21/A1", "scratch_code": "0" * 12, **changes}
    answer = await deployment.client.post("/api/v1/scans/verify", json=command)
    assert answer.status_code == 400
    assert answer.json()["code"].startswith(code.rpartition(".")[0] if code.startswith("gs1") else code)


async def test_the_standing_of_a_code_is_for_those_it_concerns(deployment: Deployment) -> None:
    serial, code = await a_code(deployment)
    client, path = deployment.client, f"/api/v1/codes/{GTIN}/{serial}"
    await client.post(
        "/api/v1/codes/printed",
        json={"batch": 1, "from": 1, "to": 1, "facility": "urn:suyuan:place:NLZWO"},
        headers=deployment.bearer("maker"),
    )
    await client.post(
        "/api/v1/scans/verify", json={"uri": f"https://x.example/01/{GTIN}/21/{serial}", "scratch_code": code}
    )
    for name in ("maker", "op"):
        answer = await client.get(path, headers=deployment.bearer(name))
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [(act["act"], act["party_id"], act["facility"]) for act in found["acts"]] == [
            ("issued", "maker", ""),
            ("printed", "maker", "urn:suyuan:place:NLZWO"),
        ]
        assert (found["state"], found["lot"], found["verified"], found["scratch"]) == (
            "printed",
            LOT,
            1,
            True,
        )
    for name, status in (("house", 404), ("broker", 404), ("admin", 403)):
        answer = await client.get(path, headers=deployment.bearer(name))
        assert (answer.status_code, name) == (status, name)
    assert (await client.get(path)).status_code == 401
    # Who delivered a fact of the item sees what the trace shows it, and none of the issuer's acts.
    await deployment.capture(
        "house", event(epcList=[f"https://id.gs1.org/01/{GTIN}/21/{serial}"], bizStep="receiving")
    )
    seen = (await client.get(path, headers=deployment.bearer("house"))).json()
    assert (seen["acts"], seen["verified"], seen["batch_id"]) == ([], 0, None)
    assert [one["state"] for one in seen["later"]] == ["received"]
    for strange in ("%00", "%2F", "a%20b", "x" * 300):
        answer = await client.get(f"/api/v1/codes/{GTIN}/{strange}", headers=deployment.bearer("op"))
        assert answer.status_code in (400, 404), strange
    short = await client.get(f"/api/v1/codes/{GTIN[1:]}/{serial}", headers=deployment.bearer("op"))
    assert short.json()["gtin"] == GTIN
    missing = await client.get(f"/api/v1/codes/{GTIN}/0NOBODY", headers=deployment.bearer("op"))
    assert (missing.status_code, missing.json()["code"]) == (404, "issuing.code.unknown")
