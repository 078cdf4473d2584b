"""Names that every trace needs, remembered for a few seconds.

Master data describes and proves nothing, so a page may lag behind a change of it. Only what was found is
remembered: a name that is put in now is seen by the next reader.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from suyuan.db.pool import Connection

Record = TypeVar("Record")

LAG_SECONDS = 5.0
MAX_RECORDS = 20_000


class Remembered(Generic[Record]):
    """Records by key, from ``fetch`` at most once in ``LAG_SECONDS`` for each."""

    def __init__(
        self, fetch: Callable[[Connection, Collection[str]], Awaitable[Mapping[str, Record]]]
    ) -> None:
        self._fetch = fetch
        self._records: dict[str, tuple[float, Record]] = {}

    async def find(self, conn: Connection, keys: Collection[str]) -> dict[str, Record]:
        """The records of those of these keys that there are."""
        now = time.monotonic()
        found: dict[str, Record] = {}
        missing = []
        for key in keys:
            known = self._records.get(key)
            if known is not None and now - known[0] < LAG_SECONDS:
                found[key] = known[1]
            else:
                missing.append(key)
        if missing:
            fresh = await self._fetch(conn, missing)
            if len(self._records) + len(fresh) > MAX_RECORDS:
                self._records.clear()
            self._records.update((key, (now, record)) for key, record in fresh.items())
            found.update(fresh)
        return found
