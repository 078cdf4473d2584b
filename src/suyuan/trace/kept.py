"""What a process keeps at hand of what it made, bounded by bytes; the least recently used goes first.

Everything kept here can be made again, so nothing is lost when it goes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, of at most ``limit`` bytes in all as their givers count them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Key, tuple[int, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now; None where it is not kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of ``size`` bytes in place of what was there; one above the limit is not kept."""
        self.drop(key)
        if size > self.limit:
            return
        self._values[key] = (size, value)
        self.size += size
        while self.size > self.limit:
            _, (gone, _) = self._values.popitem(last=False)
            self.size -= gone

    def drop(self, key: Key) -> None:
        """Keep nothing under this key."""
        known = self._values.pop(key, None)
        if known is not None:
            self.size -= known[0]
