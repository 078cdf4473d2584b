"""Requests that are twisted: each has its refusal, none is answered with 500, and nothing foreign is repeated."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from api_deployment import Deployment
from hostile_server import bearer, exchange, request, status

pytestmark = pytest.mark.usefixtures("quiet")

TWISTED: dict[str, tuple[bytes, int]] = {
    "negative length": (request("POST /api/v1/evidence", "Content-Length: -5"), 400),
    "two lengths": (
        request("POST /api/v1/evidence", "Content-Length: 1", "Content-Length: 2", body=b"ab"),
        400,
    ),
    "unknown coding": (request("POST /api/v1/evidence", "Transfer-Encoding: xchunked"), 400),
    "folded header": (request("GET /log/key", "X: a\r\n b"), 400),
    "bare return": (request("GET /log/key", "X: a\rb"), 400),
    "null in path": (request("GET /log/key\0"), 400),
    "null in header": (request("GET /log/key", "X: a\0b"), 400),
    "blank before colon": (request("GET /log/key", "X : a"), 400),
    "no host": (request("GET /log/key", host=""), 400),
    "two hosts": (request("GET /log/key", "Host: other"), 400),
    "host with a path": (request("GET /log/key", host="Host: evil.example/x?"), 400),
    "host with markup": (request("GET /log/key", host='Host: "><script>'), 400),
    "packed": (request("POST /api/v1/evidence", "Content-Encoding: gzip", "Content-Length: 0"), 415),
    "packed twice": (
        request("POST /api/v1/evidence", "Content-Encoding: br, gzip", "Content-Length: 0"),
        415,
    ),
    "trace": (request("TRACE /log/key"), 405),
    "connect": (request("CONNECT localhost:80"), 400),
    "star": (request("OPTIONS *"), 400),
    "unknown method": (request("BREW /log/key"), 405),
    "longest method": (request("A" * 5000 + " /log/key"), 405),
    "method in lower case": (request("get /log/key"), 405),
    # An item's page takes a scratch code; a product has none to take.
    "post to a page": (request("POST /01/09506000134352", "Content-Length: 0"), 404),
    "override": (request("POST /log/key", "X-HTTP-Method-Override: GET", "Content-Length: 0"), 405),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "socks": (b"\x05\x01\x00\r\n\r\n", 400),
    "version 3": (b"GET /log/key HTTP/3.0\r\nHost: a\r\n\r\n", 400),
    "version 0.9": (b"GET /log/key\r\n\r\n", 400),
    "upgrade": (
        request("GET /log/key", "Upgrade: websocket", "Sec-WebSocket-Version: 13", close=False),
        200,
    ),
}


async def test_twisted_requests(port: int) -> None:
    found = {name: status((await exchange(port, sent))[1]) for name, (sent, _) in TWISTED.items()}
    assert found == {name: expected for name, (_, expected) in TWISTED.items()}


async def test_a_second_request_does_not_hide_in_a_first(port: int) -> None:
    """Length and chunks at once: a proxy may read it the other way, so the connection ends after one answer."""
    hidden = b"0\r\n\r\n" + request("GET /log/key", close=False)
    sent = request(
        "POST /api/v1/evidence", "Content-Length: 5", "Transfer-Encoding: chunked", body=hidden, close=False
    )
    _, answer = await exchange(port, sent)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status(answer) == 401


PATHS = (
    "/../../etc/passwd",
    "/log/../../etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/static/%2e%2e/%2e%2e/x",
    "/log/tile/0/../../../keys/vault-wrapping",
    "/log/tile/0/%2e%2e%2f%2e%2e",
    "/log/tile/9999999999999999999/1",
    "/01/%00",
    "/01/09506000134352%00",
    "/01/09506000134352/21/%ff%fe",
    "/01/09506000134352/21/%2f%2e%2e%2f",
    "/01/09506000134352/21/" + "A" * 60_000,
    "/01/" + "/21/A" * 8_000,
    "//evil.example/01/09506000134352",
    "/01/09506000134352//evil.example",
    "/item//evil.example/%2e%2e",
    "/01/09506000134352/21/A%0d%0aSet-Cookie:%20a=b",
    "/01/09506000134352?linkType=%0d%0aX-Evil:%201",
    "/01/09506000134352?" + "a=b&" * 20_000,
    "/console/%2e%2e/api/v1/parties",
    "/console//evil.example",
    "/console/static/..%2f..%2f..%2fsettings.py",
    "/console/static/%00",
    "/console?next=//evil.example",
    "/api/v1/codes/batches/..%2f..%2fkeys.csv",
    "/api/v1/codes/batches/%00.csv",
    "/epcis/events/%00",
    "/epcis/events/" + "%c0%af" * 100,
    "/api/v1/parties/%27%3b--",
    "/api/v1/evidence/%F0%9F%98%80",
    "/schema/../api/v1/parties",
    "/obj/..%2f.%00",
    "/trace/01/%E2%80%AE",
    "/bundle/%ed%a0%80",
    "/01/%25%32%30",
    "/01/０９５",
    "/;jsessionid=1",
    "/01/09506000134352/21/A;x=y",
    "/%",
    "/01/%zz",
    "/api/v1/trace?uri=%00",
    "/api/v1/trace?uri=" + "%5b" * 3000,
    "/api/v1/balance?gtin=%00&lot=%ff",
    "/api/v1/parties?limit=99999999999999999999999",
    "/api/v1/parties?limit=-1",
    "/api/v1/parties?limit=NaN",
    "/api/v1/parties?after=%00",
    "/api/v1/parties/%00",
    "/api/v1/products?after=%ed%a0%80",
    "/api/v1/lookup/%00",
    "/api/v1/places/%00",
    "/api/v1/products/%00",
)


async def test_tricks_with_paths(port: int, deployment: Deployment) -> None:
    found: list[tuple[str, int]] = []
    for path in PATHS:
        for name in ("", "op"):
            headers = [bearer(deployment, name)] if name else []
            raw = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            sent = "".join([raw, *(f"{header}\r\n" for header in headers), "\r\n"]).encode()
            _, answer = await exchange(port, sent)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b"root:" not in body
            assert b"\r\nset-cookie: a=b" not in head.lower()
            assert b"\r\nx-evil" not in head.lower()
            assert b"location: //" not in head.lower(), path
            if status(answer) >= 500:
                found.append((path[:60], status(answer)))
    assert found == []


async def test_a_foreign_host_is_never_repeated(port: int) -> None:
    for path in (
        "/",
        "/console",
        "/01/09506000134352",
        "/schema",
        "/health/live",
        "/.well-known/gs1resolver",
        "/console/sign-in",
    ):
        for accept in ("text/html", "application/json"):
            sent = request(
                f"GET {path}",
                f"Accept: {accept}",
                "X-Forwarded-Host: evil.example",
                "Forwarded: host=evil.example",
                host="Host: evil.example",
            )
            _, answer = await exchange(port, sent)
            assert status(answer) < 500
            assert b"evil.example" not in answer, path


async def test_wrong_content_types(port: int, deployment: Deployment) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        kinds: list[Any] = [
            "",
            "a",
            "/",
            "text/html",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "application/json; charset=utf-7",
            "application/xml; charset=latin-1",
            "a/b; " + "x=y;" * 5000,
            "application/x-www-form-urlencoded",
            b"\xff\xfe",
            'application/json; charset="',
            "image/svg+xml",
        ]
        for kind in kinds:
            for door in ("/epcis/capture", "/api/v1/codes/issue", "/api/v1/lookup"):
                headers = {**deployment.bearer("maker"), "Content-Type": kind}
                answer = await client.post(door, content=b'{"a": 1}', headers=headers)
                assert 400 <= answer.status_code < 500, (kind, door)
                assert answer.json()["code"]
