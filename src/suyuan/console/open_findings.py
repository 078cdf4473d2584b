"""How many findings are open, for the first page: counted beside the page and remembered for some minutes.

The list of findings is computed each time it is opened and takes a second or more; a page that everybody opens first
cannot wait for it. So the number is at most some minutes old, and left out where it is not known yet. One count runs at
a time in a process, whoever asks.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from suyuan.errors import SuyuanError

FRESH_SECONDS = 300.0
KEPT_SECONDS = 3600.0
PATIENCE_SECONDS = 0.25
_PARTIES = 500
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SuyuanError)
_logger = structlog.get_logger("suyuan.console")


class OpenFindings:
    """The numbers of one process, by party."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def note(self, party_id: str, count: int) -> None:
        """Remember what was just counted anyway."""
        self._known[party_id] = (time.monotonic(), count)
        self._known.move_to_end(party_id)
        while len(self._known) > _PARTIES:
            self._known.popitem(last=False)

    async def count(self, party_id: str, compute: Callable[[], Awaitable[int]]) -> int | None:
        """The number for a party; counted again beside the page where it is some minutes old, None where not known."""
        at, known = self._known.get(party_id, (0.0, None))
        age = time.monotonic() - at
        if known is not None and age < FRESH_SECONDS:
            return known
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._count(party_id, compute))
            await asyncio.wait([self._task], timeout=PATIENCE_SECONDS)
            at, known = self._known.get(party_id, (0.0, None))
            age = time.monotonic() - at
        return known if known is not None and age < KEPT_SECONDS else None

    async def _count(self, party_id: str, compute: Callable[[], Awaitable[int]]) -> None:
        try:
            self.note(party_id, await compute())
        except _LOST as error:
            _logger.warning("open findings not counted", error=getattr(error, "code", type(error).__name__))
