"""One run of the bench: its scale, and what its rows share, made when the first row asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from stage.goods import Goods, fill_to, make_goods
from stage.members import add_members
from stage.result import Condition, machine
from stage.server import BASE_URL, Server, start_empty_server, start_server
from suyuan import settings
from suyuan.app import Services, open_services

T = TypeVar("T")


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is filled and measured."""

    name: str
    items: int
    tenfold_items: int
    documents: int
    posts: int
    codes: int
    leaves: int
    claims: int
    pure_events: int
    uris: int
    traces: int
    pages: int
    lag_seconds: float
    rounds: int
    sample_cases: int


SCALES = {
    "tiny": Scale(
        name="tiny", items=1_152, tenfold_items=2_304, documents=4, posts=64, codes=500, leaves=600, claims=300,
        pure_events=50, uris=100, traces=20, pages=40, lag_seconds=1.5, rounds=1, sample_cases=2,
    ),
    "small": Scale(
        name="small", items=20_736, tenfold_items=207_360, documents=60, posts=6_000, codes=200_000, leaves=100_000,
        claims=43_200, pure_events=5_000, uris=50_000, traces=1_000, pages=4_000, lag_seconds=8.0, rounds=3,
        sample_cases=64,
    ),
    "bar": Scale(
        name="bar", items=1_785_600, tenfold_items=10_022_400, documents=240, posts=24_000, codes=1_000_000,
        leaves=1_000_000, claims=43_200, pure_events=20_000, uris=200_000, traces=3_000, pages=12_000,
        lag_seconds=20.0, rounds=5, sample_cases=64,
    ),
}  # fmt: skip


class Bench:
    """What rows ask for. Everything is let go when the block around it ends."""

    def __init__(self, scale: Scale, stack: contextlib.AsyncExitStack, folder: Path | None) -> None:
        self.scale = scale
        self._stack = stack
        self._folder = folder
        self._made: dict[str, object] = {}

    async def _once(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        if name not in self._made:
            self._made[name] = await make()
        return cast(T, self._made[name])  # each name has one maker

    def remember(self, name: str, number: float) -> None:
        """Keep a number for a later row of this run."""
        self._made[name] = number

    def remembered(self, name: str) -> float | None:
        """What an earlier row of this run kept."""
        number = self._made.get(name)
        return number if isinstance(number, float) else None

    def say(self, text: str) -> None:
        """A line about what takes time, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def folder(self) -> Path:
        """Where the deployment lies."""
        if self._folder is None:
            self._folder = Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="suyuan-bench-"))
            )
        return self._folder

    async def services(self) -> Services:
        """A durable deployment of our own, with its members, on the embedded database."""

        async def make() -> Services:
            self.say("starting a deployment")
            chosen = settings.load({}, data_dir=str(self.folder()), base_url=BASE_URL)
            services = await self._stack.enter_async_context(open_services(chosen))
            await add_members(services)
            return services

        return await self._once("services", make)

    async def goods(self, items: int) -> Goods:
        """The goods whose way is read, among at least ``items`` items of other people."""
        services = await self.services()

        async def make() -> Goods:
            await fill_to(services, items, self.say)
            self.say("capturing the goods whose way is read")
            return await make_goods(services, self.scale.sample_cases)

        goods = await self._once("goods", make)
        await fill_to(services, items, self.say)
        return goods

    async def server(self) -> Server:
        """The product's own server on the deployment, in processes of its own. Raises ``Skip``."""
        await self.services()

        async def make() -> Server:
            return await self._stack.enter_async_context(start_server(self.folder()))

        return await self._once("server", make)

    async def empty_server(self) -> Server:
        """A server of the same stack whose one handler does nothing."""

        async def make() -> Server:
            return await self._stack.enter_async_context(start_empty_server())

        return await self._once("empty server", make)

    async def conditions(self, **more: Condition) -> dict[str, Condition]:
        """The machine, the scale, and of the database what bears on its speed."""
        found: dict[str, Condition] = {"scale": self.scale.name, **machine()}
        services = self._made.get("services")
        if isinstance(services, Services):
            async with services.pool.acquire() as conn:
                for name in ("server_version", "shared_buffers", "fsync", "synchronous_commit"):
                    found[name] = str(await conn.fetchval("SELECT current_setting($1)", name))
        return {**found, **more}


@contextlib.asynccontextmanager
async def open_bench(scale: Scale, folder: Path | None) -> AsyncIterator[Bench]:
    """A bench for the length of a block."""
    async with contextlib.AsyncExitStack() as stack:
        yield Bench(scale, stack, folder)


async def breathe() -> None:
    """Let the sequencer and other tasks of this process come up before something is timed."""
    await asyncio.sleep(0.2)
