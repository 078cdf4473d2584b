"""The streams of a day: who sends what, one depending on another as it does in a warehouse.

Codes are issued, read and activated before a station packs them; what was packed is then declared, scanned, looked
at. Each stream keeps its pace whatever the others do; a station without codes waits for none and packs nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import msgspec
from rows.packing import csrf_token, open_sessions, parcel_scans
from stage.load import request
from stage.members import GTIN
from stage.server import BASE_URL

from load.day import (
    CODES_IN_BATCH,
    EACH_PARCEL,
    ITEMS,
    LEDGER,
    LOT,
    PARCELS_A_SECOND,
    SCANS_IN_DOCUMENT,
    WAREHOUSE,
    Parcel,
    courier_scans,
    new_parcel,
    papers_of,
    stock_in,
)
from load.sending import Answer, Line, at_pace
from suyuan.app import Services
from suyuan.parties.tokens import create_token

# How many connections each kind has; a firm's system keeps a few, stations one each.
_CONNECTIONS = {"paper": 8, "scans": 2, "codes": 2, "pack": 20, "page": 8, "trace": 4, "checkpoint": 1}
# Things of which pages and traces are asked for: what is new is asked for most.
_KEPT = 2_000
_STEPS = ("arriving", "departing", "transporting", "loading")
_STOCK = 10_000_000
_SEED = 20_260_301


class _Tokens(msgspec.Struct, frozen=True):
    maker: str
    warehouse: str
    courier: str
    broker: str
    reader: str


class Traffic:
    """All streams against one server. ``waiting`` is how many requests are due and not answered."""

    def __init__(self, services: Services, port: int, pace: float, seconds: float) -> None:
        self._services, self._port = services, port
        self._rate, self._seconds = PARCELS_A_SECOND * pace, seconds
        self._serials: deque[str] = deque()
        self._parcels: deque[Parcel] = deque(maxlen=_KEPT)
        self._items: deque[str] = deque(maxlen=_KEPT)
        self._random = random.Random(_SEED)
        self.start = 0.0
        self.starved = 0
        self.lines: dict[str, Line] = {}
        self._tokens = _Tokens("", "", "", "", "")
        self._stations: list[tuple[str, str]] = []

    @property
    def waiting(self) -> int:
        """Requests that are due and not answered yet."""
        return sum(line.waiting for line in self.lines.values())

    async def prepare(self) -> None:
        """Tokens, sessions, the goods' papers, and codes for the first minutes."""
        pool = self._services.pool

        async def token(party: str, *scopes: str) -> str:
            return (await create_token(pool, party, list(scopes)))[1]

        self._tokens = _Tokens(
            maker=await token("bench-maker", "codes.issue"),
            warehouse=await token("bench-warehouse", "capture", "codes.activate"),
            courier=await token("bench-courier", "capture"),
            broker=await token("bench-broker", "capture"),
            reader=await token("bench-warehouse", "trace"),
        )
        cookies = await open_sessions(self._services)
        self._stations = [(cookie, await csrf_token(self._port, cookie)) for cookie in cookies]
        self._begin()
        await self._lines_send("scans", _capture(stock_in(_STOCK), self._tokens.warehouse), 202)
        # What a batch brings, the stations use up; they begin with a stock of a few batches.
        for _ in range(3 + int(self._rate * 20 * ITEMS / CODES_IN_BATCH)):
            await self._codes(0, time.perf_counter())
        for line in self.lines.values():
            if line.wrong:
                raise RuntimeError(f"the load cannot begin: {line.wrong[0]}")
            line.close()

    def _begin(self) -> None:
        self.start = time.perf_counter()
        self.lines = {name: Line(self._port, count, self.start) for name, count in _CONNECTIONS.items()}

    async def run(self) -> None:
        """Run all streams for their time."""
        self._begin()
        streams = {
            "paper": (self._paper, 3.0),
            "scans": (self._scans, 1.0),
            "codes": (self._codes, 1.0),
            "pack": (self._pack, 1.0),
            "page": (self._page, 1.0),
            "trace": (self._trace, 1.0),
            "checkpoint": (self._checkpoint, 1.0),
        }
        await asyncio.gather(
            *(
                at_pace(self._rate * EACH_PARCEL[kind] / bundle, self._seconds, self.start, act)
                for kind, (act, bundle) in streams.items()
            )
        )
        for line in self.lines.values():
            line.close()

    async def _lines_send(
        self, kind: str, sent: bytes, *statuses: int, due: float | None = None
    ) -> Answer | None:
        due = time.perf_counter() if due is None else due
        return await self.lines[kind].send(due, sent, lambda answer: answer.status in statuses)

    async def _paper(self, number: int, due: float) -> None:
        """The papers of one parcel, one after another."""
        parcel = self._random.choice(self._parcels) if self._parcels else new_parcel()
        for position, paper in enumerate(papers_of(parcel)):
            sent = _capture(paper, self._tokens.broker)
            await self._lines_send("paper", sent, 202, due=due if position == 0 else None)

    async def _scans(self, number: int, due: float) -> None:
        parcels = [
            self._random.choice(self._parcels) if self._parcels else new_parcel()
            for _ in range(SCANS_IN_DOCUMENT)
        ]
        sent = _capture(courier_scans(parcels, _STEPS[number % len(_STEPS)]), self._tokens.courier)
        await self._lines_send("scans", sent, 202, due=due)

    async def _codes(self, number: int, due: float) -> None:
        """A batch is issued, read, activated; then stations may pack it."""
        maker = self._tokens.maker
        order = {"gtin": GTIN, "lot": LOT, "count": CODES_IN_BATCH}
        made = await self._lines_send("codes", _json("/api/v1/codes/issue", order, maker), 201, due=due)
        if made is None or made.status != 201:
            return
        batch = json.loads(made.body)["batch_id"]
        path = f"/api/v1/codes/batches/{batch}.csv"
        read = await self._lines_send("codes", request("GET", path, Authorization=f"Bearer {maker}"), 200)
        if read is None or read.status != 200:
            return
        serials = _serials(read.body.decode("utf-8-sig"))
        command = {
            "gtin": GTIN, "lot": LOT, "serials": serials, "ledger_item": LEDGER, "facility": WAREHOUSE,
            "event_time": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        sent = _json("/api/v1/codes/activate", command, self._tokens.warehouse)
        await self._lines_send("codes", sent, 200, 201, due=None)
        self._serials.extend(serials)

    async def _pack(self, number: int, due: float) -> None:
        """One parcel at one station: its scans, then the act."""
        if len(self._serials) < ITEMS:
            self.starved += 1
            return
        serials = [self._serials.popleft() for _ in range(ITEMS)]
        cookie, token = self._stations[number % len(self._stations)]
        waybill = ""
        for position, (door, payload) in enumerate(parcel_scans(serials)):
            waybill = waybill or str(payload.get("text", ""))
            body = urlencode({"csrf": token, "payload": json.dumps(payload)}).encode()
            sent = request(
                "POST", f"/console/pack/{door}", body, Cookie=cookie, Origin=BASE_URL,
                Content_Type="application/x-www-form-urlencoded",
            )  # fmt: skip
            await self.lines["pack"].send(
                due if position == 0 else time.perf_counter(), sent, _station_accepts
            )
        self._parcels.append(Parcel(waybill))
        self._items.extend(f"https://id.gs1.org/01/{GTIN}/21/{serial}" for serial in serials)

    async def _page(self, number: int, due: float) -> None:
        if self._items:
            path = urlsplit(self._random.choice(self._items)).path
            sent = request("GET", path, Accept="text/html", Accept_Language="zh-CN", Accept_Encoding="gzip")
            await self._lines_send("page", sent, 200, due=due)

    async def _trace(self, number: int, due: float) -> None:
        if self._items:
            query = urlencode({"uri": self._random.choice(self._items)})
            sent = request("GET", f"/api/v1/trace?{query}", Authorization=f"Bearer {self._tokens.reader}")
            await self._lines_send("trace", sent, 200, due=due)

    async def _checkpoint(self, number: int, due: float) -> None:
        await self._lines_send("checkpoint", request("GET", "/log/checkpoint"), 200, due=due)


def _capture(body: bytes, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/ld+json"}
    return request("POST", "/epcis/capture", body, **headers)


def _json(path: str, value: object, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
    return request("POST", path, json.dumps(value).encode(), **headers)


def _station_accepts(answer: Answer) -> bool:
    if answer.status != 200:
        return False
    told = json.loads(answer.body)
    return told.get("ok") is True or told.get("state") == "stored"


def _serials(text: str) -> list[str]:
    head, *lines = text.splitlines()
    column = head.split(",").index("serial")
    return [line.split(",")[column] for line in lines if line]


def kinds() -> Sequence[str]:
    """The kinds of requests, in the order in which they are shown."""
    return tuple(EACH_PARCEL)
