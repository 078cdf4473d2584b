"""Connections that are slow, cut or many, against the real server: bounded, and others go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from api_deployment import Deployment, document_bytes
from hostile_server import bearer, exchange, request, status

from suyuan.api.bodies import DRAINED_BYTES, DRAINED_SECONDS, PacedBody
from suyuan.cli import processes

pytestmark = pytest.mark.usefixtures("quiet")


def test_serve_bounds_the_head_of_a_request() -> None:
    """The other tests are less patient than the server; it is patient, not endlessly."""
    assert 5_000 <= processes.HEAD_MILLISECONDS <= 60_000
    assert 65_536 <= processes.MAX_HEAD_BYTES <= 1 << 20
    assert 5 <= PacedBody.pause_seconds <= 60
    assert PacedBody.grace_seconds >= PacedBody.pause_seconds


async def test_slow_callers_are_cut_and_others_go_on(port: int, deployment: Deployment) -> None:
    token = bearer(deployment)
    body = request("POST /api/v1/evidence", token, "Content-Length: 5000", body=b"{")
    command = request("POST /api/v1/codes/issue", token, "Transfer-Encoding: chunked", body=b"5\r\n{")
    slow = {
        "nothing": exchange(port, b""),
        "half a head": exchange(port, b"GET /health/live HTTP/1.1\r\nHo"),
        "a head by drops": exchange(port, b"GET /health/live HTTP/1.1\r\n", trickle=b"X: a\r\n"),
        "kept alive": exchange(port, request("GET /log/key", close=False)),
        "half a body": exchange(port, body),
        "a body by drops": exchange(port, body, trickle=b" "),
        "half a chunk": exchange(port, command),
        "http2": exchange(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    }
    crowd = asyncio.gather(*slow.values(), *(exchange(port, body) for _ in range(200)))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        longest = 0.0
        while not crowd.done():
            started = time.perf_counter()
            answer = await client.post(
                "/epcis/capture", content=document_bytes(), headers=deployment.bearer("maker")
            )
            longest = max(longest, time.perf_counter() - started)
            assert answer.status_code == 202
            await asyncio.sleep(0.05)
    done = await crowd
    found = dict(zip(slow, done, strict=False))
    assert all(seconds < 6 for seconds, _ in done)
    assert longest < 2
    assert status(found["kept alive"][1]) == 200
    for name in ("half a body", "a body by drops", "half a chunk"):
        assert status(found[name][1]) == 408, name
        assert b"http.body.slow" in found[name][1]
    # A body that keeps coming, only too slowly on the whole, is cut by its rate.
    assert found["a body by drops"][0] > 2.5
    assert sum(status(answer) == 408 for _, answer in done[len(slow) :]) == 200


async def test_a_thousand_idle_connections(port: int) -> None:
    crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1000)]
    started = time.perf_counter()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for _ in range(20):
            assert (await client.get("/log/key")).status_code == 200
    assert time.perf_counter() - started < 5
    ends = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in crowd)), 10)
    assert ends == [b""] * 1000
    for _, writer in crowd:
        writer.close()


async def test_connections_that_end_in_the_middle(port: int, deployment: Deployment) -> None:
    before = await deployment.counts()
    token = bearer(deployment)
    whole = document_bytes()
    cut = request("POST /epcis/capture", token, f"Content-Length: {len(whole)}", body=whole[:-9])
    seconds, answer = await exchange(port, cut, end=True)
    assert seconds < 1
    assert answer == b"" or (status(answer) == 400 and b"http.body.cut" in answer)
    chunk = request("POST /epcis/capture", token, "Transfer-Encoding: chunked", body=b"ffff\r\n" + whole)
    _, answer = await exchange(port, chunk, end=True)
    assert answer == b"" or status(answer) == 400
    for _ in range(100):  # gone without a word
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(cut)
        writer.transport.abort()
    await asyncio.sleep(0.2)
    assert await deployment.counts() == before
    assert status((await exchange(port, request("GET /health/live")))[1]) == 200


async def test_a_refusal_reaches_who_is_still_sending(port: int) -> None:
    """On connections that were used before, again and again: none is closed under the caller."""
    form = b"x" * 300_000
    bounds = httpx.Limits(max_connections=8, max_keepalive_connections=8)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, limits=bounds
    ) as client:

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(form), 50_000):
                yield form[start : start + 50_000]
                await asyncio.sleep(0)

        async def refused(number: int) -> int:
            answer = await client.post(
                "/epcis/capture" if number % 2 else "/api/v1/labels/enrolments",
                content=form if number % 3 else chunks(),
            )
            return answer.status_code

        answers = await asyncio.gather(*(refused(number) for number in range(200)))
        assert answers[:8] == [401] * 8
        assert set(answers) <= {401, 429}  # after some the address is held


async def test_a_refusal_does_not_wait_for_a_body(port: int) -> None:
    """Longer ones are not read at all, and nobody is kept who announces a short one and sends nothing of it."""
    long = request("POST /epcis/capture", f"Content-Length: {DRAINED_BYTES + 1}", body=b"{")
    seconds, answer = await exchange(port, long)
    assert (status(answer), seconds < 1) == (401, True)
    awaited = request("POST /epcis/capture", "Expect: 100-continue", "Content-Length: 100")
    seconds, answer = await exchange(port, awaited)
    assert (status(answer), seconds < 1) == (401, True)
    seconds, answer = await exchange(port, request("POST /epcis/capture", "Content-Length: 100", body=b"{"))
    assert (status(answer), seconds < DRAINED_SECONDS + 1.5) == (401, True)


async def test_too_much_is_refused_before_it_is_read(port: int, deployment: Deployment) -> None:
    token = bearer(deployment)
    for door, length in (
        ("/api/v1/evidence", 200 << 20),
        ("/epcis/capture", 10**15),
        ("/api/v1/codes/issue", 17 << 20),
    ):
        sent = request(f"POST {door}", token, f"Content-Length: {length}", body=b" " * 1000)
        seconds, answer = await exchange(port, sent)
        assert (status(answer), b"http.body.too_large" in answer, seconds < 1) == (413, True, True), door
    expecting = request("POST /api/v1/evidence", token, "Expect: 100-continue", "Content-Length: 999999999")
    assert status((await exchange(port, expecting))[1]) == 413
    for head in (
        request("GET /health/live", "X: " + "a" * 300_000),
        request("GET /health/live", *(f"X{number}: a" for number in range(5000))),
        request("GET /01/" + "a" * 300_000),
    ):
        assert status((await exchange(port, head))[1]) in (400, 414, 431)
