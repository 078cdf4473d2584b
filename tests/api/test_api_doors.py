"""Every other door: what it gives to whom, and what it refuses."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from api_deployment import GTIN, ITEM, LOT, OTHER_GTIN, TOKENS, Deployment, document_bytes, event, released

from suyuan.app import Services
from suyuan.proof.verification import verify_bundle
from suyuan.tlog.checkpoint import open_checkpoint
from suyuan.tlog.merkle import root_hash
from suyuan.tlog.note import Ed25519Verifier
from suyuan.tlog.tile import read_entries

# Method, path, the scope that opens it. Every one needs a token.
GUARDED = [
    ("POST", "/epcis/capture", "capture"),
    ("GET", "/epcis/capture/x", "capture"),
    ("GET", "/epcis/events/x", "epcis.read"),
    ("POST", "/api/v1/evidence", "capture"),
    ("GET", "/api/v1/evidence/x", "capture"),
    ("POST", "/api/v1/codes/issue", "codes.issue"),
    ("GET", f"/api/v1/codes/batches?gtin={GTIN}", "codes.issue"),
    ("GET", "/api/v1/codes/batches/1.csv", "codes.issue"),
    ("POST", "/api/v1/codes/activate", "codes.activate"),
    ("POST", "/api/v1/codes/void", "codes.issue"),
    ("POST", "/api/v1/codes/printed", "codes.issue"),
    ("POST", "/api/v1/codes/aliases?system=ccic", "codes.issue"),
    ("POST", "/api/v1/codes/aliases/range", "codes.issue"),
    ("POST", "/api/v1/labels/enrolments", "labels.enrol"),
    ("GET", f"/api/v1/codes/{GTIN}/A1", "trace"),
    ("GET", f"/api/v1/stock?gtin={GTIN}", "trace"),
    ("POST", "/api/v1/lookup", "trace"),
    ("GET", "/api/v1/lookup/x", "trace"),
    ("POST", "/api/v1/reveal", "personal.reveal"),
    ("GET", f"/api/v1/balance?gtin={GTIN}&lot={LOT}", "trace"),
    ("GET", f"/api/v1/consignments?uri={ITEM}", "trace"),
    ("POST", "/api/v1/parties", "parties.admin"),
    ("GET", "/api/v1/parties", "parties.admin"),
    ("GET", "/api/v1/parties/op", "parties.admin"),
    ("GET", "/api/v1/parties/op/grants", "parties.admin"),
    ("POST", "/api/v1/parties/op/grants", "parties.admin"),
    ("DELETE", "/api/v1/parties/maker/grants/manufacturer", "parties.admin"),
    ("GET", "/api/v1/parties/op/tokens", "parties.admin"),
    ("POST", "/api/v1/parties/op/tokens", "parties.admin"),
    ("DELETE", "/api/v1/parties/op/tokens/tk-x", "parties.admin"),
    ("GET", "/api/v1/parties/op/mappings", "parties.admin"),
    ("GET", "/api/v1/parties/op/mappings/x", "parties.admin"),
    ("PUT", "/api/v1/parties/op/mappings/x", "parties.admin"),
    ("DELETE", "/api/v1/parties/op/mappings/x", "parties.admin"),
    ("PUT", "/api/v1/products", "catalog.write"),
    ("PUT", "/api/v1/places", "catalog.write"),
    ("GET", "/api/v1/products", ""),
    ("GET", "/api/v1/places", ""),
]


async def test_no_door_opens_without_its_token(deployment: Deployment) -> None:
    before = await deployment.counts()
    for method, path, scope in GUARDED:
        answer = await deployment.client.request(
            method, path, content=b"{}" if method in ("POST", "PUT") else None
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "access.token.missing"), path
        assert answer.headers["www-authenticate"] == "Bearer"
        wrong = "reader" if scope != "trace" else "admin"
        answer = await deployment.client.request(
            method,
            path,
            headers=deployment.bearer(wrong),
            content=b"{}" if method in ("POST", "PUT") else None,
        )
        if path.startswith("/api/v1/evidence/"):  # the tracing scope reads what became of its own papers
            assert answer.status_code == 404
        elif scope:
            assert (answer.status_code, answer.json()["code"]) == (403, "access.scope.missing"), path
        else:
            assert answer.status_code == 200
    assert await deployment.counts() == before


def test_every_guarded_route_is_in_the_list() -> None:
    from suyuan.api import api_routes

    open_to_all = {
        "/api/v1/trace", "/api/v1/coverage", "/api/v1/bundle", "/log/checkpoint", "/log/key", "/log/tile/{tile:path}",
        "/health", "/health/live", "/health/ready", "/metrics", "/.well-known/did.json", "/epcis",
        "/api/v1/scans/verify", "/api/v1/labels/challenges", "/api/v1/labels/checks",
        "/api/v1/templates", "/api/v1/templates/{file:str}",
    }  # fmt: skip
    routes = {
        (str(getattr(m, "value", m)), path)
        for handler in api_routes()
        for path in handler.paths
        for m in handler.http_methods  # type: ignore[attr-defined]
        if path not in open_to_all
    }
    assert len(routes) == len(GUARDED)


# -- papers -----------------------------------------------------------------------------------------------


async def test_a_paper_and_its_repeat(deployment: Deployment) -> None:
    headers = {
        **deployment.bearer("broker"),
        "Content-Disposition": 'attachment; filename="../up/list.jsonld"',
    }
    first = await deployment.client.post("/api/v1/evidence", content=document_bytes(), headers=headers)
    assert first.status_code == 201
    body = first.json()
    assert (body["name"], body["kind"], body["repeated"]) == ("list.jsonld", "EPCIS/JSON", False)
    assert [e["outcome"] for e in body["events"]] == ["stored"]
    again = await deployment.client.post("/api/v1/evidence", content=document_bytes(), headers=headers)
    assert again.status_code == 200
    assert again.json()["capture_id"] == body["capture_id"]
    for name, status in (("broker", 200), ("op", 200), ("maker", 404)):
        answer = await deployment.client.get(first.headers["Location"], headers=deployment.bearer(name))
        assert answer.status_code == status
    assert [e["event_id"] for e in answer.json().get("events", [])] == []


async def test_a_forged_release_stays_relayed(deployment: Deployment) -> None:
    content = document_bytes(released())
    content = content.replace(
        b'"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]',
        b'"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": "urn:suyuan:ext"}]',
    )
    answer = await deployment.client.post(
        "/api/v1/evidence", content=content, headers=deployment.bearer("broker")
    )
    assert answer.status_code == 201, answer.text
    trace = await deployment.client.get(
        "/api/v1/trace", params={"uri": ITEM}, headers=deployment.bearer("op")
    )
    (fact,) = trace.json()["facts"]
    assert (fact["assurance"], fact["stated_by"]) == ("relayed", "urn:suyuan:authority:customs:5165")


# -- codes ------------------------------------------------------------------------------------------------


async def issue(deployment: Deployment, count: int = 3, **changes: Any) -> httpx.Response:
    command = {"gtin": GTIN, "lot": LOT, "count": count, **changes}
    return await deployment.client.post(
        "/api/v1/codes/issue", json=command, headers=deployment.bearer("maker")
    )


async def serials_of(deployment: Deployment, answer: httpx.Response) -> list[str]:
    found = await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))
    return [row["serial"] for row in csv.DictReader(io.StringIO(found.text))]


async def test_codes_are_issued_and_streamed(deployment: Deployment) -> None:
    answer = await issue(deployment, 60_000, label="first run")
    assert answer.status_code == 201, answer.text
    batch = answer.json()
    assert (batch["count"], batch["label"], batch["issued_by"]) == (60_000, "first run", "maker")
    found = await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))
    assert found.headers["content-type"].startswith("text/csv")
    assert "attachment" in found.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert len({row["serial"] for row in rows}) == 60_000
    host = deployment.services.settings.code_host.upper()
    assert rows[0]["uri"] == f"HTTP://{host}/01/{GTIN}/21/{rows[0]['serial']}"
    assert (rows[0]["gtin"], rows[0]["lot"]) == (GTIN, LOT)
    assert deployment.services.mac_keys.is_ours(GTIN, rows[0]["serial"])
    listed = await deployment.client.get(
        "/api/v1/codes/batches", params={"gtin": GTIN, "lot": LOT}, headers=deployment.bearer("maker")
    )
    assert [one["batch_id"] for one in listed.json()] == [batch["batch_id"]]


async def test_only_who_stands_behind_the_product_makes_its_codes(deployment: Deployment) -> None:
    before = await deployment.counts()
    for name, gtin in (("broker", GTIN), ("maker", OTHER_GTIN)):
        answer = await deployment.client.post(
            "/api/v1/codes/issue",
            json={"gtin": gtin, "lot": "L", "count": 1},
            headers=deployment.bearer(name),
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "access.gtin.issuer")
    assert await deployment.counts() == before
    await deployment.client.put(
        "/api/v1/products",
        json={"gtin": OTHER_GTIN, "name_en": "Tea", "owner_party": "broker"},
        headers=deployment.bearer("op"),
    )
    for name in ("broker", "op"):
        answer = await deployment.client.post(
            "/api/v1/codes/issue",
            json={"gtin": OTHER_GTIN, "lot": "L", "count": 1},
            headers=deployment.bearer(name),
        )
        assert answer.status_code == 201
    others = await deployment.client.get(answer.headers["Location"], headers=deployment.bearer("maker"))
    assert (others.status_code, others.json()["code"]) == (404, "issuing.batch.unknown")


async def test_no_more_codes_become_active_than_were_received(deployment: Deployment) -> None:
    """The command for the 43,200th code of 43,199 good pieces, in small."""
    serials = await serials_of(deployment, await issue(deployment, 3))
    place = "https://id.gs1.org/414/9520000000011"
    await deployment.capture(
        "house",
        event(
            epcList=None,
            quantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}", "quantity": 2, "uom": "EA"}],
            bizStep="receiving",
            disposition="sellable_accessible",
            bizLocation={"id": place},
            readPoint={"id": place},
        ),
    )
    command = {"gtin": GTIN, "lot": LOT, "facility": place, "serials": serials[:2]}
    before = await deployment.counts()
    over = await deployment.client.post(
        "/api/v1/codes/activate", json={**command, "serials": serials}, headers=deployment.bearer("house")
    )
    assert (over.status_code, over.json()["code"]) == (422, "issuing.allowance.exceeded")
    assert await deployment.counts() == before
    done = await deployment.client.post(
        "/api/v1/codes/activate", json=command, headers=deployment.bearer("house")
    )
    assert done.status_code == 200, done.text
    assert (done.json()["activated"], done.json()["remaining"]) == (2, 0)
    again = await deployment.client.post(
        "/api/v1/codes/activate", json=command, headers=deployment.bearer("house")
    )
    assert (again.json()["activated"], again.json()["repeated"]) == (0, 2)
    active = await deployment.client.post(
        "/api/v1/codes/void",
        json={"gtin": GTIN, "lot": LOT, "serials": serials[:1], "reason": "late"},
        headers=deployment.bearer("maker"),
    )
    assert (active.status_code, active.json()["code"]) == (422, "issuing.code.active")


async def test_a_voided_code_is_never_active(deployment: Deployment) -> None:
    serials = await serials_of(deployment, await issue(deployment, 2))
    void = {"gtin": GTIN, "lot": LOT, "serials": serials[:1], "reason": "misprinted"}
    denied = await deployment.client.post(
        "/api/v1/codes/void", json=void, headers=deployment.bearer("broker")
    )
    assert denied.json()["code"] == "access.gtin.issuer"
    done = await deployment.client.post("/api/v1/codes/void", json=void, headers=deployment.bearer("maker"))
    assert done.json()["count"] == 1
    answer = await deployment.client.post(
        "/api/v1/codes/activate",
        json={"gtin": GTIN, "lot": LOT, "serials": serials[:1]},
        headers=deployment.bearer("house"),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "issuing.code.voided")


# -- traces -----------------------------------------------------------------------------------------------


async def test_a_trace_is_cut_to_its_viewer(deployment: Deployment) -> None:
    await deployment.capture("maker")
    await deployment.publish()
    seen = {}
    for name in ("", "broker", "maker", "op"):
        headers = deployment.bearer(name) if name else {}
        answer = await deployment.client.get("/api/v1/trace", params={"uri": ITEM}, headers=headers)
        assert answer.status_code == (404 if name == "broker" else 200)
        assert answer.headers["cache-control"] == "no-store"
        seen[name] = answer.json()
    audiences = {name: seen[name].get("audience") for name in seen}
    assert audiences == {"": "public", "broker": None, "maker": "owner", "op": "operator"}
    assert "without a token" in seen["broker"]["remedy"]
    assert seen[""]["facts"][0]["event_id"] is None
    assert seen["maker"]["facts"][0]["event_id"] == seen["op"]["facts"][0]["event_id"]
    assert seen["op"]["facts"][0]["event_id"].startswith("ni:///")
    bad = await deployment.client.get(
        "/api/v1/trace", params={"uri": ITEM}, headers={"Authorization": "Bearer x"}
    )
    assert bad.status_code == 401


async def test_other_spellings_of_an_item_are_the_item(deployment: Deployment) -> None:
    await deployment.capture("maker", event(epcList=[f"https://id.gs1.org/01/{GTIN}/21/A1"]))
    for uri in (
        f"HTTPS://TRACE.EXAMPLE/01/{GTIN}/21/A1",
        f"https://trace.example/some/stem/01/{GTIN}/10/L/21/A1?17=261231",
        f"https://id.gs1.org/01/{GTIN}/21/A1/",
        "urn:epc:id:sgtin:9506000.013435.A1",
    ):
        answer = await deployment.client.get("/api/v1/trace", params={"uri": uri})
        assert answer.status_code == 200, uri
        assert answer.json()["thing"] == ITEM


async def test_what_the_public_may_not_ask_for(deployment: Deployment) -> None:
    container = "urn:epc:id:bic:COSU9876546"
    await deployment.capture("broker", event(epcList=[container]))
    await deployment.publish()
    client = deployment.client
    for door in ("trace", "coverage", "bundle"):
        where = f"/api/v1/{door}"
        answer = await client.get(where, params={"uri": container})
        absent = await client.get(where, params={"uri": container[:-1] + "9"})
        assert answer.status_code == absent.status_code == 404
        assert answer.json() == absent.json()
        whole = await client.get(where, params={"uri": container}, headers=deployment.bearer("op"))
        assert whole.status_code == 200, door
        for uri, code in (
            ("urn:suyuan:raw:order:shop:1", "trace.uri.personal"),
            ("https://id.gs1.org/01/09506000134353/21/A1", "gs1.ai.check_digit"),
            ("no uri", "trace.uri.form"),
            ("urn:x:" + "y" * 3000, "trace.uri.form"),
        ):
            answer = await client.get(where, params={"uri": uri})
            assert (answer.status_code, answer.json()["code"], answer.json()["path"]) == (400, code, "uri")
        missing = await client.get(where)
        assert (missing.status_code, missing.json()["code"], missing.json()["path"]) == (
            400,
            "http.parameter",
            "uri",
        )


async def test_a_bundle_holds_under_the_published_key(deployment: Deployment) -> None:
    await deployment.capture("maker")
    early = await deployment.client.get("/api/v1/bundle", params={"uri": ITEM})
    assert (early.status_code, early.json()["code"]) == (404, "trace.bundle.none")
    await deployment.publish()
    answer = await deployment.client.get("/api/v1/bundle", params={"uri": ITEM})
    key = (await deployment.client.get("/log/key")).text.strip()
    report = verify_bundle(answer.content, key)
    assert (report.thing, report.audience, report.key_source) == (ITEM, "public", "given")


async def test_the_balance_is_for_who_has_a_stake(deployment: Deployment) -> None:
    query = {"gtin": GTIN, "lot": LOT}
    await issue(deployment, 3)
    for name, status in (("maker", 200), ("house", 200), ("op", 200), ("broker", 403)):
        answer = await deployment.client.get("/api/v1/balance", params=query, headers=deployment.bearer(name))
        assert answer.status_code == status, name
    assert answer.json()["code"] == "access.gtin.balance"
    good = await deployment.client.get("/api/v1/balance", params=query, headers=deployment.bearer("maker"))
    assert good.json()["coded"] == "3"


# -- members ----------------------------------------------------------------------------------------------


async def test_members_from_party_to_revoked_token(deployment: Deployment) -> None:
    client, admin = deployment.client, deployment.bearer("admin")
    party = {"party_id": "shop", "name_en": "Shop", "name_zh": "店"}
    made = await client.post("/api/v1/parties", json=party, headers=admin)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/parties/shop")
    again = await client.post("/api/v1/parties", json=party, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "party.exists")
    grant = await client.post(
        "/api/v1/parties/shop/grants", json={"role": "seller", "scope": GTIN}, headers=admin
    )
    assert grant.status_code == 201
    token = await client.post(
        "/api/v1/parties/shop/tokens", json={"scopes": ["trace"], "label": "till"}, headers=admin
    )
    secret = token.json()["secret"]
    mine = {"Authorization": f"Bearer {secret}"}
    assert (await client.get("/api/v1/parties/shop", headers=mine)).json()["name_zh"] == "店"
    assert (await client.get("/api/v1/parties/shop/grants", headers=mine)).json()[0]["role"] == "seller"
    assert (await client.get("/api/v1/parties/op", headers=mine)).status_code == 403
    listed = await client.get("/api/v1/parties/shop/tokens", headers=admin)
    assert secret not in listed.text
    end = await client.delete("/api/v1/parties/shop/grants/seller", params={"scope": GTIN}, headers=admin)
    assert end.json()["revoked_at"]
    gone = await client.delete("/api/v1/parties/shop/grants/seller", params={"scope": GTIN}, headers=admin)
    assert (gone.status_code, gone.json()["code"]) == (404, "party.role.not_granted")
    token_id = token.json()["token"]["token_id"]
    other = await client.delete(f"/api/v1/parties/op/tokens/{token_id}", headers=admin)
    assert other.status_code == 404
    revoked = await client.delete(f"/api/v1/parties/shop/tokens/{token_id}", headers=admin)
    assert revoked.json()["revoked_at"]
    names = [one["party_id"] for one in (await client.get("/api/v1/parties", headers=admin)).json()]
    assert names == sorted([*{party_id for party_id, _ in TOKENS.values()}, "shop"])
    page = await client.get("/api/v1/parties", params={"after": "maker", "limit": 1}, headers=admin)
    assert [one["party_id"] for one in page.json()] == ["op"]


async def test_an_administrator_cannot_make_itself_the_operator(deployment: Deployment) -> None:
    client, admin, op = deployment.client, deployment.bearer("admin"), deployment.bearer("op")
    before = await deployment.counts()
    for method, path, command in (
        ("POST", "/api/v1/parties/broker/grants", {"role": "operator"}),
        ("DELETE", "/api/v1/parties/op/grants/operator", None),
        ("POST", "/api/v1/parties/op/tokens", {"scopes": ["operator"]}),
        ("POST", "/api/v1/parties/broker/tokens", {"scopes": ["trace", "personal.reveal"]}),
        ("POST", "/api/v1/parties/broker/tokens", {"scopes": ["parties.admin"]}),
    ):
        answer = await client.request(method, path, json=command, headers=admin)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.operator"), path
    tokens = (await client.get("/api/v1/parties/op/tokens", headers=admin)).json()
    answer = await client.delete(f"/api/v1/parties/op/tokens/{tokens[0]['token_id']}", headers=admin)
    assert answer.json()["code"] == "access.operator"
    assert await deployment.counts() == before
    granted = await client.post("/api/v1/parties/broker/grants", json={"role": "operator"}, headers=op)
    assert granted.status_code == 201


# -- master data ------------------------------------------------------------------------------------------


async def test_products_by_json_and_csv(deployment: Deployment) -> None:
    client = deployment.client
    product = {"gtin": GTIN, "name_en": "Milk powder", "owner_party": "maker"}
    first = await client.put("/api/v1/products", json=product, headers=deployment.bearer("maker"))
    assert first.json() == {"changed": 1, "received": 1}
    table = f"gtin,name_en,owner_party\n{GTIN},Milk powder,maker\n".encode()
    again = await client.put(
        "/api/v1/products", content=table, headers={**deployment.bearer("op"), "Content-Type": "text/csv"}
    )
    assert again.json() == {"changed": 0, "received": 1}
    listed = await client.get("/api/v1/products", headers=deployment.bearer("reader"))
    assert [one["name_en"] for one in listed.json()] == ["Milk powder"]


async def test_nobody_takes_a_product_or_a_place_over(deployment: Deployment) -> None:
    client, before = deployment.client, await deployment.counts()
    for gtin in (GTIN, OTHER_GTIN):
        answer = await client.put(
            "/api/v1/products",
            json=[{"gtin": gtin, "name_en": "X", "owner_party": "broker"}],
            headers=deployment.bearer("broker"),
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "access.gtin.product")
        assert answer.json()["path"] == "[0].gtin"
    assert await deployment.counts() == before
    place = {"uri": "urn:suyuan:place:CNNSA", "name_en": "Nansha"}
    assert (
        await client.put("/api/v1/places", json=place, headers=deployment.bearer("maker"))
    ).status_code == 200
    taken = await client.put("/api/v1/places", json=place, headers=deployment.bearer("broker"))
    assert (taken.status_code, taken.json()["code"]) == (403, "access.place")
    assert (
        await client.put("/api/v1/places", json=place, headers=deployment.bearer("op"))
    ).status_code == 200
    assert (await client.get("/api/v1/places", headers=deployment.bearer("reader"))).json()[0][
        "name_en"
    ] == "Nansha"


# -- the log ----------------------------------------------------------------------------------------------


async def test_the_log_can_be_rebuilt_from_its_doors(deployment: Deployment) -> None:
    client = deployment.client
    none = await client.get("/log/checkpoint")
    assert (none.status_code, none.json()["code"]) == (404, "log.checkpoint.none")
    await deployment.capture("maker", *[event(epcList=[f"{ITEM}{n}"]) for n in range(300)])
    await deployment.publish()
    note = await client.get("/log/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.headers["cache-control"] == "no-cache"
    key = (await client.get("/log/key")).text.strip()
    head = open_checkpoint(note.content, Ed25519Verifier(key)).checkpoint
    assert head.size == 300
    leaves = []
    for path in ("/log/tile/entries/000", "/log/tile/entries/001.p/44"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=604800, immutable"
        leaves += read_entries(answer.content)
    assert root_hash(leaves) == head.root
    assert len((await client.get("/log/tile/0/000")).content) == 8192
    assert len((await client.get("/log/tile/0/001.p/44")).content) == 44 * 32
    assert len((await client.get("/log/tile/1/000.p/1")).content) == 32


async def test_tiles_that_are_not_there(deployment: Deployment) -> None:
    await deployment.capture("maker")
    await deployment.publish()
    for path in (
        "0/000", "0/000.p/2", "0/001", "9/000", "64/000", "0/x000/000", "0/000.p/256", "entries/9", "x", "0/..%2f000",
        "0/000/",
    ):  # fmt: skip
        answer = await deployment.client.get(f"/log/tile/{path}")
        assert answer.status_code == 404, path
        assert answer.json()["code"] in ("tlog.tile.path", "log.tile.absent")


# -- status and frame -------------------------------------------------------------------------------------


async def test_health_metrics_and_identity(deployment: Deployment) -> None:
    client = deployment.client
    await deployment.capture("maker")
    health = (await client.get("/health")).json()
    assert (health["status"], health["waiting"], health["published"]) == ("ok", 1, 0)
    metrics = await client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'suyuan_papers_total{kind="EPCIS/JSON",outcome="stored"}' in metrics.text
    assert "suyuan_log_waiting 1" in metrics.text
    did = (await client.get("/.well-known/did.json")).json()
    assert did["id"] == "did:web:localhost%3A" + str(deployment.services.settings.port)
    assert did["verificationMethod"][0]["publicKeyMultibase"].startswith("z6Mk")
    schema = (await client.get("/schema")).json()
    assert schema["openapi"].startswith("3.")
    assert schema["paths"]["/api/v1/codes/issue"]["post"]["requestBody"]["required"]


async def test_the_frame_around_every_answer(deployment: Deployment) -> None:
    for path in ("/health", "/nowhere", "/api/v1/parties", "/log/key", f"/01/{GTIN}/21/A1"):
        answer = await deployment.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        if path.startswith(("/api", "/health")):
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers or path.startswith("/01")
    method = await deployment.client.put("/health")
    assert (method.status_code, method.json()["code"]) == (405, "http.method")
    assert "GET" in method.headers["allow"]


async def test_no_secret_and_no_item_in_the_log_lines(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    await deployment.client.get(
        "/api/v1/trace", params={"uri": ITEM + "SECRET"}, headers=deployment.bearer("op")
    )
    await deployment.client.get(f"/01/{GTIN}/21/SECRET")
    await deployment.client.get("/epcis/events/SECRET", headers=deployment.bearer("maker"))
    lines = capsys.readouterr().out
    assert "/api/v1/trace" in lines
    assert "/01" in lines
    assert "SECRET" not in lines
    assert not any(token in lines for token in deployment.tokens.values())


async def test_an_unforeseen_error_tells_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the order of Li Lei")

    monkeypatch.setattr(type(deployment.services.reader), "read", broken)
    answer = await deployment.client.get("/api/v1/trace", params={"uri": ITEM})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["instance"] == "urn:suyuan:request:" + answer.headers["x-request-id"]
    assert "Li Lei" not in answer.text
    lines = capsys.readouterr().out
    assert answer.headers["x-request-id"] in lines
    assert "Li Lei" not in lines


async def test_a_lost_database_is_said_to_be_lost(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(deployment.services.reader), "read", lost)
    answer = await deployment.client.get("/api/v1/trace", params={"uri": ITEM})
    assert (answer.status_code, answer.json()["code"]) == (503, "db.lost")
    assert answer.headers["retry-after"] == "1"


def test_the_services_of_the_composition_are_those_of_the_doors() -> None:
    from suyuan.api.model import Services as Wanted

    for name in ("settings", "pool", "capture", "reader", "tree", "mac_keys", "authenticator", "signer"):
        assert name in Services.__struct_fields__
        assert hasattr(Wanted, name)
