"""How this deployment is: health, metrics, and its identity as a DID document."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from litestar import Response, get

from suyuan.api.metrics import metrics_text
from suyuan.api.model import Call, services_of
from suyuan.log import status
from suyuan.tlog.note import read_vkey

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the database answers, and how far the log is behind it."""

    status: str
    database: str
    waiting: int
    sequenced: int
    published: int
    published_at: datetime | None


@get("/health", tags=["status"])
async def read_health(request: Call) -> Health:
    """200 where the database answers, with the lag of the log; 503 where it does not."""
    log = await status(services_of(request).pool)
    return Health(
        status="ok",
        database="ok",
        waiting=log.waiting,
        sequenced=log.sequenced,
        published=log.published,
        published_at=log.published_at,
    )


@get("/metrics", tags=["status"], include_in_schema=False)
async def read_metrics(request: Call) -> Response[bytes]:
    """Counters in Prometheus' text form."""
    log = await status(services_of(request).pool)
    return Response(metrics_text(log), media_type="text/plain; version=0.0.4")


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


@get("/.well-known/did.json", tags=["status"])
async def read_did(request: Call) -> Response[dict[str, Any]]:
    """The deployment's DID document (did:web), with the key of its log."""
    services = services_of(request)
    document = did_document(services.settings.base_url, read_vkey(services.signer.vkey).material)
    headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
    return Response(document, media_type="application/did+json", headers=headers)


ROUTES = (read_health, read_metrics, read_did)
