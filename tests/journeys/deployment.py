"""A deployment on the test server: all rooms as the product composes them, members, short ways to say an event."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from suyuan import settings
from suyuan.app import Services, open_services
from suyuan.capture.prepare import Deliverer
from suyuan.capture.store import Stored
from suyuan.gs1.check_digits import check_digit
from suyuan.issuing import issue, iter_serials
from suyuan.log import fsck, publish, sequence_once
from suyuan.parties.members import Party, add_party
from suyuan.parties.roles import grant_role
from suyuan.tlog.note import Ed25519Verifier
from suyuan.trace import OPERATOR, Viewer
from suyuan.trace.model import Fact, Trace

GTIN = "08710000001236"
OTHER_GTIN = "08710000001243"
LOT = "L1"
STEP = "https://ref.gs1.org/cbv/BizStep-"
DISP = "https://ref.gs1.org/cbv/Disp-"
PLANT = "https://id.gs1.org/414/8710000000017"
WAREHOUSE = "https://id.gs1.org/414/9520000000035"
_numbers = itertools.count(1)


def item(serial: str, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def lot_class(lot: str = LOT, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/10/{lot}"


def sscc(number: int) -> str:
    body = f"0871000000{number:07d}"
    return f"https://id.gs1.org/00/{body}{check_digit(body)}"


def container(number: str = "COSU9876546") -> str:
    return f"urn:epc:id:bic:{number}"


def raw(kind: str, number: str, issuer: str = "440196X001") -> str:
    return f"urn:suyuan:raw:{kind}:{issuer}:{number}"


def paper(kind: str, number: str) -> dict[str, str]:
    """A business document; person documents as ``raw`` URIs."""
    uri = number if number.startswith("urn:") else f"urn:suyuan:{kind}:{number}"
    return {"type": f"urn:suyuan:btt:{kind}", "bizTransaction": uri}


def parcel_paper(kind: str, number: str) -> dict[str, str]:
    return paper(kind, raw(kind, number))


def observed(when: str, *things: str, kind: str = "ObjectEvent", **fields: Any) -> dict[str, Any]:
    """An object event; ``fields`` are those of the JSON-LD, short words where CBV has them."""
    event = {
        "type": kind,
        "eventTime": when if "T" in when else f"{when}T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "inspecting",
    }
    if things or (kind != "AggregationEvent" and "quantityList" not in fields):
        event["epcList"] = list(things)  # type: ignore[assignment]
    return {**event, **fields}


def commissioned(when: str, *things: str, lot: str = LOT, **fields: Any) -> dict[str, Any]:
    ilmd = {"cbvmda:lotNumber": lot} if lot else {}
    return observed(when, *things, action="ADD", bizStep="commissioning", ilmd=ilmd, **fields)


def moved(when: str, parent: str, *children: str, action: str = "ADD", **fields: Any) -> dict[str, Any]:
    """An aggregation event."""
    event = observed(when, kind="AggregationEvent", action=action, parentID=parent, bizStep="packing")
    if children:
        event["childEPCs"] = list(children)
    return {**event, **fields}


def of_lot(when: str, quantity: int | None = None, lot: str = LOT, **fields: Any) -> dict[str, Any]:
    element: dict[str, Any] = {"epcClass": lot_class(lot)}
    if quantity is not None:
        element["quantity"] = quantity
    return observed(when, quantityList=[element], **fields)


def withdrawn(
    event: dict[str, Any], when: str = "2025-12-01", reason: str = "did_not_occur"
) -> dict[str, Any]:
    declared = {"declarationTime": f"{when}T08:00:00+08:00", "reason": reason}
    return {**event, "errorDeclaration": declared}


def document(events: Sequence[dict[str, Any]]) -> bytes:
    context = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": "urn:suyuan:ext"}]
    body = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        # A date of its own makes each document a paper of its own.
        "creationDate": f"2026-01-01T00:00:00.{next(_numbers):06d}Z",
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(body, ensure_ascii=False).encode()


class Deployment:
    """What a test needs of a deployment, in short words."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.pool = services.pool
        self.capture = services.capture
        self.reader = services.reader

    async def member(self, party_id: str, *roles: str, **fields: Any) -> Deliverer:
        """A member with roles, ``role`` or ``role/GTIN``."""
        await add_party(
            self.pool,
            Party(party_id=party_id, name_en=party_id.title(), name_zh=f"{party_id}（示例）", **fields),
        )
        for role in roles:
            name, _, scope = role.partition("/")
            await grant_role(self.pool, party_id, name, scope)
        return await self.deliverer(party_id)

    async def deliverer(self, party_id: str) -> Deliverer:
        return await self.services.deliverer_of(party_id)

    async def say(self, party: Deliverer, *events: dict[str, Any]) -> Stored:
        """The events as one EPCIS document of the party."""
        return await self.capture.submit(document(events), party)

    async def issued(self, count: int, party: Deliverer, lot: str = LOT, gtin: str = GTIN) -> list[str]:
        """New codes of a lot."""
        batch = await issue(
            self.pool, self.services.mac_keys, gtin=gtin, lot=lot, count=count, party_id=party.party_id
        )
        return [serial async for portion in iter_serials(self.pool, batch.batch_id) for serial in portion]

    async def trace(self, thing: str, viewer: Viewer = OPERATOR) -> Trace:
        found = await self.reader.read(thing, viewer)
        assert found is not None
        return found

    async def published(self) -> None:
        """Everything stored is sequenced and published."""
        while await sequence_once(self.pool):
            pass
        await publish(self.pool, self.services.signer)

    async def counts(self) -> dict[str, int]:
        """Rows of every table of the schema."""
        names = await self.pool.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " ORDER BY relname"
        )
        return {row[0]: await self.pool.fetchval(f'SELECT count(*) FROM "{row[0]}"') for row in names}

    async def search(self, *texts: str) -> list[tuple[str, str, str]]:
        """Where any of the texts stands in any text, JSON or binary column: (table, column, text)."""
        columns = await self.pool.fetch(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns AS c"
            " JOIN information_schema.tables AS t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            " AND c.data_type IN ('text', 'jsonb', 'bytea', 'ARRAY', 'character varying')"
        )
        found = []
        for table, column, kind in columns:
            given = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
            held = await self.pool.fetchval(f"SELECT string_agg({given}, '\\x0a') FROM \"{table}\"") or b""
            found += [(table, column, text) for text in texts if text.encode() in held]
        return found

    async def check_log(self) -> Any:
        from suyuan.capture.checking import recompute_commitments

        return await fsck(
            self.pool, Ed25519Verifier(self.services.signer.vkey), recompute=recompute_commitments
        )


@asynccontextmanager
async def open_deployment(database_url: str, folder: Path) -> AsyncIterator[Deployment]:
    chosen = settings.load(
        {}, database_url=database_url, data_dir=str(folder), base_url="https://trace.example"
    )
    async with open_services(chosen, migrate=False) as services:
        yield Deployment(services)


@pytest.fixture
async def deployment(database_url: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    """A deployment with nothing in it, on a database of its own."""
    async with open_deployment(database_url, tmp_path) as opened:
        yield opened


def steps_of(facts: Iterable[Fact]) -> list[str]:
    """The bare words of the facts' business steps, in order."""
    return [fact.biz_step.rpartition("-")[2].rpartition(":")[2] for fact in facts]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
