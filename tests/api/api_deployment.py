"""A deployment with its doors open: the real database, real HTTP on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from granian.server.embed import Server

from suyuan import settings
from suyuan.app import Services, open_services
from suyuan.asgi import opened
from suyuan.log import publish, sequence_once
from suyuan.parties import Party, add_party, create_token, grant_role

GTIN = "09506000134352"
OTHER_GTIN = "09506000134369"
LOT = "LOT-1"
ITEM = f"https://id.gs1.org/01/{GTIN}/21/A1"
PARTIES = {
    "op": (("operator", ""),),
    "maker": (("brand-owner", GTIN), ("manufacturer", GTIN)),
    "broker": (("customs-broker", ""),),
    "house": (("bonded-warehouse", ""),),
}
TOKENS = {
    "op": ("op", ("operator",)),
    "maker": ("maker", ("capture", "epcis.read", "trace", "codes.issue", "catalog.write")),
    "broker": ("broker", ("capture", "epcis.read", "trace", "codes.issue", "catalog.write")),
    "house": ("house", ("capture", "codes.activate", "trace")),
    "reader": ("broker", ("trace",)),
    "admin": ("broker", ("parties.admin",)),
}
WRITTEN = (
    "evidence", "evidence_body", "evidence_part", "event", "event_payload", "event_list", "evidence_event",
    "thing", "thing_event", "code", "code_batch", "code_act", "code_state", "party", "party_role", "token",
    "product", "place",
)  # fmt: skip


def event(**changes: Any) -> dict[str, Any]:
    """One EPCIS event as JSON; ``changes`` replace fields, None leaves one out."""
    fields: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2025-08-01T10:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "epcList": [ITEM],
        "readPoint": {"id": "https://id.gs1.org/414/9520000000011"},
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not None}


def document(*events: dict[str, Any]) -> dict[str, Any]:
    """An EPCIS document of these events."""
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2025-08-01T08:00:00Z",
        "epcisBody": {"eventList": copy.deepcopy(list(events) or [event()])},
    }


def document_bytes(*events: dict[str, Any]) -> bytes:
    return json.dumps(document(*events)).encode()


def released(serials: str = "A1") -> dict[str, Any]:
    """A receipt that claims to be the customs' release (800), as a broker forwards it."""
    return event(
        bizStep="urn:suyuan:bizstep:clearing",
        disposition="urn:suyuan:disp:released",
        bizTransactionList=[
            {
                "type": "urn:suyuan:btt:declaration",
                "bizTransaction": "urn:suyuan:declaration:516520251234567890",
            }
        ],
        **{"suyuan:statedBy": "urn:suyuan:authority:customs:5165"},
        epcList=[f"https://id.gs1.org/01/{GTIN}/21/{serials}"],
    )


class Deployment(msgspec.Struct, frozen=True):
    """The doors, the services behind them, and a token of each party with its scopes."""

    client: httpx.AsyncClient
    services: Services
    tokens: dict[str, str]

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def counts(self) -> dict[str, int]:
        """Rows of everything that a capture or a command writes."""
        query = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in WRITTEN)
        row = await self.services.pool.fetchrow(f"SELECT {query}")
        assert row is not None
        return dict(row)

    async def publish(self) -> None:
        """Sequence and publish what is stored."""
        async with self.services.pool.acquire() as conn:
            await sequence_once(conn)
            await publish(conn, self.services.signer)

    async def capture(self, name: str, *events: dict[str, Any]) -> str:
        """Capture events as a party and return the capture's ID."""
        answer = await self.client.post(
            "/epcis/capture", content=document_bytes(*events), headers=self.bearer(name)
        )
        assert answer.status_code == 202, answer.text
        return answer.headers["Location"].rpartition("/")[2]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.asynccontextmanager
async def serving(services: Services, port: int) -> AsyncIterator[httpx.AsyncClient]:
    """The application of these services on a port, in this process."""
    async with opened(services) as application:
        server = Server(application, address="127.0.0.1", port=port, interface="asginl", log_enabled=False)
        task = asyncio.create_task(server.serve())
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        ) as client:
            for _ in range(200):
                with contextlib.suppress(httpx.TransportError):
                    await client.get("/log/key")
                    break
                await asyncio.sleep(0.02)
            yield client
        server.stop()
        await task


@pytest.fixture
async def deployment(database_url: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    """A new deployment with four parties and their tokens."""
    port = free_port()
    configured = settings.load({}, database_url=database_url, data_dir=tmp_path, port=port)
    async with open_services(configured, migrate=False) as services:
        tokens = {}
        for party_id, grants in PARTIES.items():
            party = Party(party_id=party_id, name_en=party_id.title(), name_zh=f"{party_id} 公司")
            await add_party(services.pool, party)
            for role, scope in grants:
                await grant_role(services.pool, party_id, role, scope)
        for name, (party_id, scopes) in TOKENS.items():
            _, tokens[name] = await create_token(services.pool, party_id, scopes)
        async with serving(services, port) as client:
            yield Deployment(client, services, tokens)
