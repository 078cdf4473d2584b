"""What an operator's monitoring sees of a server of several processes."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import httpx
import pytest
from command_line import GTIN, Shell
from test_cli_serving import event, served, token

from suyuan.api.metrics import forget_dead

__all__ = ["token"]
ITEM = f"/01/{GTIN}/21/N0"


def value(text: str, name: str) -> float:
    """The one sample of that name, labels included."""
    found = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert len(found) == 1, (name, found)
    return float(found[0])


async def scrape(port: int) -> str:
    """From a connection of its own, so that either process may be asked."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        return (await client.get("/metrics")).text


async def test_whichever_process_is_asked_answers_for_all(suyuan: Shell, token: str) -> None:
    async with served(suyuan, "--workers", "2") as server:
        assert (await server.client.get("/health/live")).json() == {"status": "ok"}
        for number in range(12):
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{server.port}", trust_env=False
            ) as client:
                answer = await client.post(
                    "/epcis/capture", content=event(number), headers={"Authorization": f"Bearer {token}"}
                )
                assert answer.status_code == 202
                assert (await client.get("/health/ready")).status_code == 200
        assert (await server.client.post("/epcis/capture", content=b"{}")).status_code == 401
        for _ in range(3):
            await server.client.get(ITEM, headers={"Accept": "text/html"})
        for _ in range(200):
            text = await scrape(server.port)
            if value(text, "suyuan_log_published") == 12 and value(text, "suyuan_processes") == 2:
                break
            await asyncio.sleep(0.05)
        assert value(text, "suyuan_processes") == 2
        for text in [await scrape(server.port) for _ in range(4)]:
            assert value(text, 'suyuan_papers_total{kind="EPCIS/JSON",outcome="stored"}') == 12
            assert value(text, 'suyuan_events_total{outcome="stored"}') == 12
            assert (
                value(text, 'suyuan_http_requests_total{method="POST",route="/epcis/capture",status="202"}')
                == 12
            )
            assert value(text, 'suyuan_http_request_seconds_count{route="/epcis/capture"}') == 13
            assert value(text, 'suyuan_errors_total{code="access.token.missing"}') == 1
            assert value(text, 'suyuan_item_reads_total{outcome="computed"}') >= 1
            assert value(text, "suyuan_pool_limit") == 20
            assert 0 < value(text, "suyuan_pool_open") <= 20
            assert value(text, "suyuan_resident_bytes") > 2 * 30e6
            assert value(text, "suyuan_database_up") == 1
            assert value(text, "suyuan_database_bytes") > 1e6
            assert value(text, "suyuan_log_published") == value(text, "suyuan_log_sequenced") == 12
            assert value(text, "suyuan_log_waiting") == value(text, "suyuan_log_oldest_waiting_seconds") == 0
            assert value(text, "suyuan_log_published_timestamp_seconds") > 1.7e9
            assert "N0" not in text


def test_gauges_of_a_process_that_is_gone_are_forgotten(tmp_path: Path) -> None:
    gone = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(gone, 0)
    names = [f"gauge_livesum_{gone}.db", f"gauge_livesum_{os.getpid()}.db", f"counter_{gone}.db"]
    for name in names:
        (tmp_path / name).touch()
    forget_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_without_a_database_a_server_is_alive_and_not_ready(
    suyuan: Shell, empty_database_url: str, pg_server: object, path: str
) -> None:
    from suyuan.db.migrate import prepare

    await prepare(empty_database_url)
    suyuan.environment["SUYUAN_DATABASE_URL"] = empty_database_url
    async with served(suyuan) as server:
        await _rename(pg_server, empty_database_url, away=True)
        try:
            for _ in range(100):
                answer = await server.client.get(path)
                if answer.status_code == 503:
                    break
                await asyncio.sleep(0.05)
            assert answer.status_code == 503
            assert answer.json()["code"].startswith("db.")
            assert (await server.client.get("/health/live")).status_code == 200
            text = (await server.client.get("/metrics")).text
            assert value(text, "suyuan_database_up") == 0
            assert value(text, "suyuan_processes") == 1
        finally:
            await _rename(pg_server, empty_database_url, away=False)


async def _rename(pg_server: object, database_url: str, *, away: bool) -> None:
    """A database that cannot be reached: under another name, its connections ended."""
    import asyncpg

    from suyuan.db.embedded import Server

    assert isinstance(pg_server, Server)
    name = re.search(r"/(test_\d+)\?", database_url)
    assert name is not None
    here, there = (name[1], f"{name[1]}_away") if away else (f"{name[1]}_away", name[1])
    connection = await asyncpg.connect(pg_server.dsn)
    try:
        if away:
            await connection.execute(f"ALTER DATABASE {here} ALLOW_CONNECTIONS false")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", here
        )
        for _ in range(50):
            try:
                await connection.execute(f"ALTER DATABASE {here} RENAME TO {there}")
                break
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.1)
        if not away:
            await connection.execute(f"ALTER DATABASE {there} ALLOW_CONNECTIONS true")
    finally:
        await connection.close()
