"""One deployment with both example journeys in it, served as it is served in earnest, for all tests of the pages."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))

from deployment import Deployment, container, moved, observed, open_deployment, paper, raw
from rehearsal import EXAMPLES, HOST, Rehearsal, small_journey

from suyuan.catalog import put_places, put_products, read_places_csv, read_products_csv
from suyuan.cli.membership import read_parties_csv
from suyuan.db import embedded
from suyuan.errors import ConflictError
from suyuan.issuing import find_batches, issue, iter_serials
from suyuan.parties.members import Party, add_party
from suyuan.parties.roles import grant_role
from suyuan.parties.sessions import open_session
from suyuan.parties.users import add_user

DATABASE = "console_world"
UNLABELLED_ORDER = "EM20251009080000000099"
PAGE_LIMIT = 100_000


class World:
    """The deployment, its address and the cookies of its users."""

    def __init__(
        self, base: str, deployment: Deployment, tin: str, jar: str, secrets: dict[str, str]
    ) -> None:
        self.base = base
        self.deployment = deployment
        self.tin = tin
        self.jar = jar
        self.secrets = secrets
        self._visitors: dict[tuple[str, str], Visitor] = {}

    def visitor(self, name: str = "chief", lang: str = "en") -> Visitor:
        """A browser without scripts in which this user is signed in."""
        if (name, lang) not in self._visitors:
            self._visitors[name, lang] = Visitor(self.base, self.secrets[name], lang)
        return self._visitors[name, lang]

    def close(self) -> None:
        for visitor in self._visitors.values():
            visitor.client.close()


class Visitor:
    """Gets pages and sends their forms."""

    def __init__(self, base: str, secret: str, lang: str) -> None:
        self.client = httpx.Client(
            base_url=base,
            cookies={"suyuan_session": secret},
            headers={"accept-language": lang, "origin": base},
            timeout=60,
        )

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-900:])
        if "text/html" in answer.headers["content-type"]:
            assert len(answer.content) <= PAGE_LIMIT, (path, len(answer.content))
        return answer.text

    def post(self, path: str, status: int = 200, follow: bool = True, **fields: str) -> httpx.Response:
        page = self.client.get("/console/search")
        [token, *_] = re.findall(r'name="csrf" value="([^"]+)"', page.text)
        answer = self.client.post(path, data={"csrf": token, **fields}, follow_redirects=follow)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-900:])
        return answer

    def search(self, text: str) -> str:
        return self.post("/console/search", q=text, stay="1").text


async def _second_journey(rehearsal: Rehearsal, deployment: Deployment) -> None:
    """The direct journey beside the first: its parties, catalogue and codes."""
    journey, folder = rehearsal.journey, rehearsal.folder
    for party, roles in read_parties_csv((folder / "parties.csv").read_bytes(), "parties.csv"):
        try:
            await add_party(deployment.pool, party)
        except ConflictError:
            continue
        for role in roles:
            name, _, scope = role.partition("=")
            await grant_role(deployment.pool, party.party_id, name, scope)
    owner = journey.issued_by or rehearsal.papers()[0].delivering_party
    await put_products(
        deployment.pool, read_products_csv((folder / "products.csv").read_bytes()), recorded_by=owner
    )
    await put_places(
        deployment.pool, read_places_csv((folder / "places.csv").read_bytes()), recorded_by=owner
    )
    keys = deployment.services.mac_keys
    await issue(
        deployment.pool, keys, gtin=journey.gtin, lot=journey.lot, count=journey.count, party_id=owner
    )
    [batch] = await find_batches(deployment.pool, journey.gtin, journey.lot)
    rehearsal.serials = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]


async def _contradiction(deployment: Deployment) -> None:
    """Two parties give different contents under one event ID."""
    event = {"eventID": "urn:uuid:8f2b1a4e-0000-4000-8000-000000000001"}
    for party, day in (("rhine-freight", "2025-08-17"), ("example-line", "2025-08-18")):
        await deployment.say(
            await deployment.deliverer(party), observed(day, container(), bizStep="loading", **event)
        )


async def _unlabelled(deployment: Deployment) -> None:
    """A parcel of goods that bear no code."""
    packed = moved(
        "2025-10-09",
        raw("waybill", "SF1399000000099"),
        childQuantityList=[{"epcClass": "https://id.gs1.org/01/08710000001236", "quantity": 1}],
        bizTransactionList=[paper("order", raw("order", UNLABELLED_ORDER, "440196M001"))],
    )
    await deployment.say(await deployment.deliverer("haimen"), packed)


@pytest.fixture(scope="session")
async def world(
    pg_server: embedded.Server, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Both journeys, an operator and members; the server runs as long as the tests do. Only read it."""
    home = tmp_path_factory.mktemp("console")
    bonded = Rehearsal(pg_server, small_journey(home / "journey"), home, DATABASE)
    await bonded.prepare(_template)
    direct = Rehearsal(pg_server, EXAMPLES / "direct", home, DATABASE)
    async with open_deployment(pg_server.database_dsn(DATABASE), home) as deployment:
        await _second_journey(direct, deployment)
        await bonded.deliver(deployment, bonded.papers())
        await direct.deliver(deployment, direct.papers())
        await _contradiction(deployment)
        await _unlabelled(deployment)
        await deployment.published()
        await add_party(
            deployment.pool, Party(party_id="suyuan-op", name_en="Platform operator", name_zh="平台运营方")
        )
        await grant_role(deployment.pool, "suyuan-op", "operator", "")
        secrets = {}
        for name, party, role in (
            ("chief", "suyuan-op", "admin"),
            ("looker", "suyuan-op", "reader"),
            ("maker", "groene-wei", "admin"),
            ("payer", "example-pay", "admin"),
        ):
            user = await add_user(deployment.pool, name, party, role)
            secrets[name] = await open_session(deployment.pool, user.user_id, "full")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        server = _serve(pg_server.database_dsn(DATABASE), home, base, port)
        try:
            opened = World(base, deployment, bonded.item, direct.item, secrets)
            yield opened
            opened.close()
        finally:
            server.terminate()
            server.wait(20)


def _serve(dsn: str, home: Path, base: str, port: int) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    environment |= {
        "SUYUAN_DATABASE_URL": dsn,
        "SUYUAN_DATA_DIR": str(home),
        "SUYUAN_BASE_URL": base,
        "SUYUAN_LOG_ORIGIN": "trace.example/log",
        "SUYUAN_CODE_HOST": HOST.partition("://")[2],
        "SUYUAN_POOL_SIZE": "4",
        "SUYUAN_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--no-log", "suyuan.asgi:application"], env=environment
    )
    for _ in range(300):
        try:
            if httpx.get(f"{base}/health").status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.1)
    server.terminate()
    pytest.fail("the server did not start")


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"(?s)<(style|script|svg)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
