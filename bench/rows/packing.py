"""The packing station at ten times the pace of a day with 60,000 parcels: every scan's answer, from 20 stations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
from stage.bench import Bench
from stage.goods import size_of
from stage.load import request
from stage.members import GTIN
from stage.pacing import Appointed, Paced, replay
from stage.result import Row, cost_row, percentile
from stage.server import BASE_URL, HOST

from suyuan.app import Services
from suyuan.issuing import issue, iter_serials
from suyuan.parties.sessions import open_session
from suyuan.parties.users import add_user, find_user

STATIONS = 20
PARCELS_A_DAY, TIMES = 60_000, 10
ITEMS = 2  # in a parcel
BAR_MS = 100.0
_LOT, _COURIER, _COOKIE = "BENCHPACK", "440196X901", "__Host-suyuan_session"
_BETWEEN_SCANS = 0.45  # seconds; a scan every half second is what a hand manages


async def pack_scan(bench: Bench) -> Row:
    """Waybill, SKU, serials and the finished parcel, scanned at 20 stations at once, each answer timed."""
    await bench.goods(bench.scale.items)
    services, server, empty = await bench.services(), await bench.server(), await bench.empty_server()
    rate = PARCELS_A_DAY * TIMES / 86_400
    parcels = max(STATIONS, round(rate * bench.scale.lag_seconds * 4))
    cookies = await open_sessions(services)
    tokens = [await csrf_token(server.port, cookie) for cookie in cookies]
    serials = await _serials(services, (parcels + STATIONS) * ITEMS)
    warm, serials = serials[: STATIONS * ITEMS], serials[STATIONS * ITEMS :]
    _check(await replay(HOST, server.port, _streams(cookies, tokens, warm, rate), _accepted))
    before = await size_of(services)
    streams = _streams(cookies, tokens, serials, rate)
    paced = await replay(HOST, server.port, streams, _accepted)
    _check(paced)
    nothing = [[Appointed(one.at, request("POST", "/", b"x" * 300)) for one in stream] for stream in streams]
    least = await replay(HOST, empty.port, nothing, lambda status, _: status == 202)
    _check(least)
    worst = percentile(paced.latencies_ms, 99)
    return cost_row(
        "pack_scan",
        "ms",
        worst,
        percentile(least.latencies_ms, 99),
        await bench.conditions(
            stations=STATIONS,
            parcels=parcels,
            parcels_per_second=round(parcels / paced.seconds, 2),
            scans=len(paced.latencies_ms),
            scans_per_parcel=ITEMS + 3,
            events_before=before.events,
            slowest_ms=round(max(paced.latencies_ms), 1),
            value="p99 of an answer from the moment the scan was due",
            server=server.command,
            floor="p99 of as many posts at the same pace to an empty handler on the same server stack",
        ),
        bar=f"p99 <= {BAR_MS:.0f} ms at {rate:.1f} parcels/s",
        met=worst <= BAR_MS,
        samples=paced.latencies_ms,
    )


def _check(paced: Paced) -> None:
    if paced.wrong:
        raise RuntimeError(f"{len(paced.wrong)} answers were not as expected, the first: {paced.wrong[0]}")


def _accepted(status: int, body: bytes) -> bool:
    told = json.loads(body)
    return status == 200 and (told.get("ok") is True or told.get("state") == "stored")


async def open_sessions(services: Services) -> list[str]:
    """A signed-in worker for each station, as its cookie."""
    found = []
    for number in range(STATIONS):
        name = f"packer{number}"
        user = await find_user(services.pool, name)
        if user is None:
            user = await add_user(services.pool, name, "bench-warehouse", "worker")
        found.append(f"{_COOKIE}={await open_session(services.pool, user.user_id, 'full')}")
    return found


async def csrf_token(port: int, cookie: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{HOST}:{port}/console/pack/state", headers={"Cookie": cookie})
    return str(answer.json()["csrf"])


async def _serials(services: Services, count: int) -> list[str]:
    batch = await issue(
        services.pool, services.mac_keys, gtin=GTIN, lot=_LOT, count=count, party_id="bench-maker"
    )
    return [serial async for part in iter_serials(services.pool, batch.batch_id) for serial in part]


def _streams(
    cookies: Sequence[str], tokens: Sequence[str], serials: Sequence[str], rate: float
) -> list[list[Appointed]]:
    """Parcels dealt out to the stations in turn, one starting every ``1 / rate`` seconds."""
    streams: list[list[Appointed]] = [[] for _ in cookies]
    for number in range(len(serials) // ITEMS):
        station = number % len(cookies)
        items = serials[number * ITEMS : (number + 1) * ITEMS]
        for step, (door, payload) in enumerate(parcel_scans(items)):
            body = urlencode({"csrf": tokens[station], "payload": json.dumps(payload)}).encode()
            sent = request(
                "POST", f"/console/pack/{door}", body, Cookie=cookies[station], Origin=BASE_URL,
                Content_Type="application/x-www-form-urlencoded",
            )  # fmt: skip
            streams[station].append(Appointed(number / rate + step * _BETWEEN_SCANS, sent))
    return streams


def parcel_scans(serials: Sequence[str]) -> list[tuple[str, dict[str, object]]]:
    waybill = f"BP{uuid.uuid4().hex[:16].upper()}"
    held = {"waybill": waybill, "courier": _COURIER}

    def scan(text: str, **more: str) -> tuple[str, dict[str, object]]:
        return "look", {"scan": str(uuid.uuid4()), "text": text, "courier": _COURIER, **more}

    uris = [f"https://id.gs1.org/01/{GTIN}/21/{serial}" for serial in serials]
    act: dict[str, object] = {
        "act_id": str(uuid.uuid4()),
        "kind": "pack",
        "at": datetime.now(UTC).isoformat(),
        "gtin": GTIN,
        "parts": [{"uri": uri, "quantity": 0, "scan": str(uuid.uuid4())} for uri in uris],
        **held,
    }
    return [
        scan(waybill, want="waybill"),
        scan(GTIN[1:], waybill=waybill),
        *(scan(uri, waybill=waybill, gtin=GTIN) for uri in uris),
        ("act", act),
    ]
