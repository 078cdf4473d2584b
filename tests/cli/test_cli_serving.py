"""``suyuan serve`` as its operator meets it: it starts, answers, is stopped, is killed, and loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from command_line import GTIN, Shell, free_port

from suyuan.parties import Party, add_party, create_token, grant_role


class Served:
    """A running ``suyuan serve`` and a client of it."""

    def __init__(self, shell: Shell, *options: str) -> None:
        self.port = free_port()
        self.log = shell.data_dir / "serve.log"
        shell.data_dir.mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "suyuan", "serve", "--port", str(self.port), *options],
                env={**shell.environment, "SUYUAN_LOG_LEVEL": "warning"},
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)

    async def ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if (await self.client.get("/health")).status_code == 200:
                    return
            assert self.process.poll() is None, self.words()
            await asyncio.sleep(0.1)
        raise AssertionError(self.words())

    def words(self) -> str:
        return self.log.read_text("utf-8", "replace")

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, 40)

    async def close(self) -> None:
        await self.client.aclose()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            await self.ended()


@contextlib.asynccontextmanager
async def served(shell: Shell, *options: str) -> AsyncIterator[Served]:
    server = Served(shell, *options)
    try:
        await server.ready()
        yield server
    finally:
        await server.close()


def event(number: int) -> bytes:
    return json.dumps(
        {
            "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2025-08-01T08:00:00Z",
            "epcisBody": {
                "eventList": [
                    {
                        "type": "ObjectEvent",
                        "eventTime": "2025-08-01T10:00:00.000+02:00",
                        "eventTimeZoneOffset": "+02:00",
                        "action": "OBSERVE",
                        "bizStep": "shipping",
                        "epcList": [f"https://id.gs1.org/01/{GTIN}/21/N{number}"],
                    }
                ]
            },
        }
    ).encode()


@pytest.fixture
async def token(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        await add_party(connection, Party(party_id="maker", name_en="Maker", name_zh="制造"))
        await grant_role(connection, "maker", "manufacturer")
        return (await create_token(connection, "maker", ["capture"]))[1]
    finally:
        await connection.close()


async def load(server: Served, token: str, acknowledged: list[str]) -> None:
    """Post single events without end; what was acknowledged is noted."""
    numbers = iter(range(1_000_000))

    async def one() -> None:
        for number in numbers:
            try:
                answer = await server.client.post(
                    "/epcis/capture", content=event(number), headers={"Authorization": f"Bearer {token}"}
                )
            except httpx.TransportError:
                return
            if answer.status_code == 202:
                acknowledged.append(answer.headers["Location"].rpartition("/")[2])
            else:
                assert answer.status_code == 503, answer.text

    await asyncio.gather(*(one() for _ in range(8)))


async def stored(database_url: str, acknowledged: list[str]) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        count = "SELECT count(*) FROM evidence WHERE capture_id = ANY ($1)"
        return int(await connection.fetchval(count, acknowledged))
    finally:
        await connection.close()


async def test_it_serves_and_stops_without_losing_what_it_accepted(
    suyuan: Shell, token: str, database_url: str
) -> None:
    acknowledged: list[str] = []
    async with served(suyuan) as server:
        assert (await server.client.get("/schema")).status_code == 200
        task = asyncio.create_task(load(server, token, acknowledged))
        await asyncio.sleep(1.5)
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0, server.words()
        await task
    words = server.words()
    assert f"http://localhost:{server.port}" in words
    assert "Traceback" not in words
    assert len(acknowledged) > 10
    assert await stored(database_url, acknowledged) == len(acknowledged)
    # What was stored at the end was published at the end.
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM intake") == 0
    assert await connection.fetchval(
        "SELECT max(tree_size) = (SELECT count(*) FROM event) FROM log_checkpoint"
    )
    await connection.close()


async def test_a_killed_server_leaves_nothing_running_and_nothing_lost(
    suyuan: Shell, token: str, database_url: str
) -> None:
    acknowledged: list[str] = []
    async with served(suyuan, "--workers", "2") as server:
        task = asyncio.create_task(load(server, token, acknowledged))
        await asyncio.sleep(1.5)
        os.kill(server.process.pid, signal.SIGKILL)
        await server.ended()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            # Its server processes see that they are alone and let the port go.
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", server.port))
                break
            await asyncio.sleep(0.2)
        else:
            raise AssertionError("the port is still held")
        await task
    assert len(acknowledged) > 10
    assert await stored(database_url, acknowledged) == len(acknowledged)
    said = await asyncio.to_thread(suyuan.apart, "fsck", "--json")
    assert said.code == 0, said
    report = said.json
    assert report["finding_count"] == 0
    assert report["entries"] + report["waiting"] == report["events"] >= len(acknowledged)


async def test_a_server_process_that_dies_is_replaced(suyuan: Shell) -> None:
    async with served(suyuan) as server:
        children = await asyncio.to_thread(
            subprocess.run,
            ["pgrep", "-P", str(server.process.pid), "-f", "spawn_main"], capture_output=True, text=True, check=True,
        )  # fmt: skip
        os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
        await asyncio.sleep(0.5)
        await server.ready()
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() in (0, 1)


def test_a_port_in_use_and_a_database_that_is_not_there(suyuan: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = suyuan.apart("serve", "--port", port)
    assert said.code == 8
    assert "cli.port.busy" in said.err
    assert f"--port {port + 1}" in said.err
    elsewhere = suyuan.apart("serve", "--port", free_port(), "--host", "203.0.113.7")
    assert (elsewhere.code, "cli.port.address" in elsewhere.err) == (8, True)
    gone = suyuan.apart(
        "serve", "--port", free_port(), SUYUAN_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )
    assert (gone.code, "db.unreachable" in gone.err) == (8, True)
    assert "Traceback" not in gone.err + elsewhere.err + said.err


def test_a_database_that_is_behind_is_not_served(suyuan: Shell, empty_database_url: str) -> None:
    said = suyuan.apart("serve", "--port", free_port(), SUYUAN_DATABASE_URL=empty_database_url)
    assert said.code == 8
    assert "db.migration.behind" in said.err
    assert "suyuan migrate" in said.err
    done = suyuan.apart("migrate", "--json", SUYUAN_DATABASE_URL=empty_database_url)
    assert done.json["applied"][0] == 0


async def test_the_worker_publishes_by_itself(suyuan: Shell, database_url: str) -> None:
    suyuan.data_dir.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "suyuan", "worker", env=suyuan.environment, stderr=subprocess.PIPE
    )
    connection = await asyncpg.connect(database_url)
    try:
        for _ in range(150):
            if await connection.fetchval("SELECT count(*) FROM log_checkpoint"):
                break
            await asyncio.sleep(0.1)
        assert await connection.fetchval("SELECT max(tree_size) FROM log_checkpoint") == 0
    finally:
        await connection.close()
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, said
    assert b"Traceback" not in said


async def test_papers_over_http(suyuan: Shell, token: str) -> None:
    folder = suyuan.data_dir / "papers"
    folder.mkdir(parents=True)
    (folder / "a.jsonld").write_bytes(event(1))
    (folder / "b.txt").write_bytes(b"?")
    secret = suyuan.data_dir / "token"
    secret.write_text(token + "\n", "ascii")
    async with served(suyuan) as server:
        url = f"http://127.0.0.1:{server.port}"
        call = ("capture", folder, "--url", url, "--json", "--token-file", secret)
        said = await asyncio.to_thread(suyuan.apart, *call)
        good, bad = said.json
        assert (said.code, good["kind"], good["new_events"]) == (2, "EPCIS/JSON", 1)
        assert bad["error"]["code"] == "capture.paper.unknown"
        unknown = await asyncio.to_thread(
            suyuan.apart, "capture", folder / "a.jsonld", "--url", url, "--token", "-", given=b"suyuan_x\n"
        )
        assert unknown.code == 2
        assert "access.token.malformed" in unknown.err
    away = await asyncio.to_thread(
        suyuan.apart, "capture", folder, "--url", "http://127.0.0.1:9", "--token-file", secret
    )
    assert away.code == 8
    assert "cli.server.unreachable" in away.err
