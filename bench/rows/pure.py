"""Rows without a database: the event hash, the commitment, the judge of GS1 URIs.

The floor is a bare SHA-256 loop over the texts that the row has to hash anyway.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from stage.bench import Bench
from stage.papers import observation
from stage.result import Row, best_seconds, rate_row

from suyuan.canon import JSON
from suyuan.disclosure.claims import all_claim_bytes
from suyuan.disclosure.commitment import commit
from suyuan.epcis import canonical_body, event_hash, pre_hash, read_json, write_json_document
from suyuan.gs1.digital_link import check_uri
from suyuan.gs1.serials import new_serials

_GTIN = "08710000001236"
_EPCS = 10


def _hash_all(texts: Sequence[bytes]) -> None:
    for text in texts:
        sha256(text).digest()


async def event_hashes(bench: Bench) -> Row:
    """Events (10 EPCs each) given their CBV 2.0 ID, one after another in one thread."""
    count = bench.scale.pure_events
    serials = new_serials(_GTIN, "0", secrets.token_bytes(32), count * _EPCS)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    written = [
        observation(_GTIN, serials[n * _EPCS : (n + 1) * _EPCS], start + timedelta(seconds=n))
        for n in range(count)
    ]
    events = read_json(write_json_document(written))
    texts = [pre_hash(event).encode() for event in events]
    took = best_seconds(lambda: [event_hash(event) for event in events], bench.scale.rounds)
    least = best_seconds(lambda: _hash_all(texts), bench.scale.rounds)
    return rate_row(
        "event_hash",
        "events/s",
        count / took,
        count / least,
        await bench.conditions(
            events=count,
            epcs_per_event=_EPCS,
            pre_hash_bytes=round(sum(map(len, texts)) / count),
            floor="bare SHA-256 of the pre-hash strings",
        ),
    )


async def commitment(bench: Bench) -> Row:
    """Claims of one event with a very long list, salted and committed, padding and tree included."""
    serials = new_serials(_GTIN, "0", secrets.token_bytes(32), bench.scale.claims)
    event = observation(_GTIN, serials, datetime(2026, 3, 1, tzinfo=UTC))
    body, secret = canonical_body(event), secrets.token_bytes(32)
    statement: dict[str, JSON] = {"party": "bench-maker"}
    texts = all_claim_bytes(body, statement)
    made = commit(body, statement, secret)
    took = best_seconds(lambda: commit(body, statement, secret), bench.scale.rounds)
    least = best_seconds(lambda: _hash_all(texts), bench.scale.rounds)
    return rate_row(
        "commitment",
        "claims/s",
        len(texts) / took,
        len(texts) / least,
        await bench.conditions(
            claims=len(texts),
            leaves_after_padding=made.claim_count,
            seconds=round(took, 4),
            floor="bare SHA-256 of each claim's bytes, once",
        ),
    )


def _command_seconds(given: bytes) -> float:
    """How long ``suyuan gs1 check`` takes as a process of its own, from its start to its end."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "suyuan", "gs1", "check"], input=given, stdout=subprocess.PIPE, check=True
    )
    took = time.perf_counter() - started
    assert done.stdout.count(b"\n") == given.count(b"\n")
    return took


async def gs1_check(bench: Bench) -> Row:
    """URIs of items judged and translated, all of them different; the conditions tell it through the command too."""
    serials = new_serials(_GTIN, "0", secrets.token_bytes(32), bench.scale.uris)
    uris = [f"https://brand.example/01/{_GTIN}/10/L{n % 97}/21/{serial}" for n, serial in enumerate(serials)]
    texts = [uri.encode() for uri in uris]
    took = best_seconds(lambda: [check_uri(uri) for uri in uris], 1)
    least = best_seconds(lambda: _hash_all(texts), bench.scale.rounds)
    start = await asyncio.to_thread(_command_seconds, b"")
    command = await asyncio.to_thread(_command_seconds, b"".join(text + b"\n" for text in texts))
    steady = max(command - start, 1e-9)
    return rate_row(
        "gs1_check",
        "URIs/s",
        len(uris) / took,
        len(uris) / least,
        await bench.conditions(
            uris=len(uris),
            form="GTIN, lot, serial",
            through_the_command=f"{len(uris) / steady:,.0f} URIs/s; {len(uris) / command:,.0f} with its start",
            command_start_seconds=round(start, 2),
            floor="bare SHA-256 of each URI",
        ),
        bar=">= 20,000 URIs/s, through the command too",
        met=len(uris) / max(took, steady) >= 20_000,
    )
