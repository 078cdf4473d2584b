"""The bonded example captured into a deployment on the test server, and the product's own server over it."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
from deployment import Deployment

from suyuan.catalog import put_places, put_products, read_places_csv, read_products_csv
from suyuan.cli.journey import Paper, expand, load_journey, load_manifest
from suyuan.compliance.activation import ActivationCommand, activate_codes
from suyuan.issuing import issue, iter_serials
from suyuan.parties.members import Party, add_party
from suyuan.parties.roles import grant_role

FOLDER = Path(__file__).parents[2] / "examples" / "bonded"
JOURNEY = load_journey(FOLDER)
# What the server is told of its operator, besides the database and the data directory.
OPERATOR = {
    "SUYUAN_OPERATOR_NAME_EN": "Example Mall trace service",
    "SUYUAN_OPERATOR_NAME_ZH": "示例商城溯源服务",
    "SUYUAN_REPORT_URL": "mailto:trace@example.cn",
    "SUYUAN_ICP_NUMBER": "粤ICP备00000000号-1",
}


async def prepare(deployment: Deployment) -> list[str]:
    """Members, catalogue and codes of the journey; the serials in order."""
    pool = deployment.pool
    with (FOLDER / "parties.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            roles, party_id = row.pop("roles").split(), row.pop("id")
            fields = {name: value or None for name, value in row.items() if name in Party.__struct_fields__}
            await add_party(pool, Party(party_id=party_id, **fields))
            for role in roles:
                await grant_role(pool, party_id, role)
    products = read_products_csv((FOLDER / "products.csv").read_bytes())
    await put_products(pool, products, recorded_by="groene-wei")
    await put_places(pool, read_places_csv((FOLDER / "places.csv").read_bytes()), recorded_by="groene-wei")
    batch = await issue(
        pool,
        deployment.services.mac_keys,
        gtin=JOURNEY.gtin,
        lot=JOURNEY.lot,
        count=JOURNEY.count,
        party_id="groene-wei",
    )
    return [serial async for portion in iter_serials(pool, batch.batch_id) for serial in portion]


async def deliver(deployment: Deployment, serials: list[str], wanted: Callable[[Paper], bool]) -> None:
    """The papers that are wanted, each from its own party, then into the log."""
    for paper in load_manifest(FOLDER):
        if not wanted(paper):
            continue
        data = expand(paper, serials, "https://trace.example")
        if paper.name.endswith("case-packing.jsonld"):
            data = _own_case(data, serials)
        party = await deployment.deliverer(paper.delivering_party)
        if paper.door == "activate":
            command = msgspec.json.decode(data, type=ActivationCommand)
            await activate_codes(deployment.pool, deployment.capture, command, party)
        else:
            await deployment.capture.submit(data, party, name=paper.name)
    await deployment.published()


def _own_case(data: bytes, serials: list[str]) -> bytes:
    """Of the packing of thousands of cases that of the followed item: all that its page depends on."""
    document = json.loads(data)
    body, own = document["epcisBody"], f"/21/{serials[JOURNEY.followed - 1]}"
    body["eventList"] = [event for event in body["eventList"] if own in json.dumps(event)]
    return json.dumps(document).encode()


def followed(serials: list[str]) -> str:
    """The path of the item whose way the journey follows."""
    return f"/01/{JOURNEY.gtin}/21/{serials[JOURNEY.followed - 1]}"


@asynccontextmanager
async def served(database_url: str, data_dir: Path) -> AsyncIterator[str]:
    """The address of the product's server over a database; its log origin is that of ``open_deployment``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    base = f"http://127.0.0.1:{port}"
    own = {
        "SUYUAN_DATABASE_URL": database_url,
        "SUYUAN_DATA_DIR": str(data_dir),
        "SUYUAN_BASE_URL": base,
        "SUYUAN_LOG_ORIGIN": "trace.example/log",
        "SUYUAN_LOG_LEVEL": "error",
    }
    command = ["-m", "granian", "--interface", "asgi", "--factory", "--no-log", "--host", "127.0.0.1"]
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--port",
        str(port),
        "suyuan.asgi:application",
        env={**os.environ, **own, **OPERATOR},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=base) as client:
            for _ in range(200):
                try:
                    if (await client.get("/robots.txt")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            else:
                raise AssertionError("the server did not start")
        yield base
    finally:
        server.terminate()
        await asyncio.wait_for(server.wait(), 20)
