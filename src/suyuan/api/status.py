"""How this deployment is: health, metrics, and its identity as a DID document."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from litestar import Response, get

from suyuan.api.metrics import LOST, metrics_text, oldest_waiting
from suyuan.api.model import Call, services_of
from suyuan.errors import UnavailableError
from suyuan.log import status
from suyuan.tlog.note import read_vkey

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


READY_SECONDS = 2.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the database answers, and how far the log is behind it."""

    status: str
    database: str
    waiting: int
    oldest_waiting_seconds: float
    sequenced: int
    published: int
    published_at: datetime | None


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """This process answers."""

    status: str = "ok"


@get("/health", tags=["status"])
async def read_health(request: Call) -> Health:
    """200 where the database answers, with the lag of the log; 503 where it does not."""
    pool = services_of(request).pool
    with _database():
        log, waited = await status(pool), await oldest_waiting(pool)
    return Health(
        status="ok",
        database="ok",
        waiting=log.waiting,
        oldest_waiting_seconds=round(waited, 3),
        sequenced=log.sequenced,
        published=log.published,
        published_at=log.published_at,
    )


@get("/health/live", tags=["status"])
async def read_liveness() -> Alive:
    """200 as long as this process answers at all. Restart it where it does not; a lost database is no reason to."""
    return Alive()


@get("/health/ready", tags=["status"])
async def read_readiness(request: Call) -> Alive:
    """200 where a request would be served: a connection is free and the database answers, within two seconds.

    Else 503 (``db.lost``): send requests to another server for now. A log that does not move is no reason to, since
    papers are taken all the same.
    """
    with _database():
        async with asyncio.timeout(READY_SECONDS), services_of(request).pool.acquire() as conn:
            await conn.fetchval("SELECT 1")
    return Alive()


@contextlib.contextmanager
def _database() -> Iterator[None]:
    """Whatever keeps the database from answering a question that cannot be wrong, it is not there."""
    try:
        yield
    except LOST as error:
        raise UnavailableError(
            "db.lost",
            f"The database does not answer ({type(error).__name__}).",
            remedy="Look at the database server and at its connections; send requests elsewhere meanwhile.",
        ) from None


@get("/metrics", tags=["status"], include_in_schema=False)
async def read_metrics(request: Call) -> Response[bytes]:
    """Counters of all processes and the state of the deployment, in Prometheus' text form."""
    text = await metrics_text(services_of(request).pool)
    return Response(text, media_type="text/plain; version=0.0.4")


def did_document(base_url: str, public_key: bytes) -> dict[str, Any]:
    """The did:web document of a deployment: the key of its log is the one key that it signs with.

    ``public_key`` is the Ed25519 key of 32 bytes.
    """
    did = "did:web:" + quote(urlsplit(base_url).netloc, safe="")
    key_id = f"{did}#log"
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": key_id,
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": "z" + _base58(b"\xed\x01" + public_key),
            }
        ],
        "assertionMethod": [key_id],
    }


def _base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


@get("/.well-known/did.json", media_type="application/did+json", tags=["status"])
async def read_did(request: Call) -> Response[dict[str, Any]]:
    """The deployment's DID document (did:web), with the key of its log."""
    services = services_of(request)
    document = did_document(services.settings.base_url, read_vkey(services.signer.vkey).material)
    headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
    return Response(document, media_type="application/did+json", headers=headers)


ROUTES = (read_health, read_liveness, read_readiness, read_metrics, read_did)
