"""The MAC keys of this deployment's serials, one per epoch.

An epoch is the first character of a serial. A key that may have leaked is retired by starting the next epoch;
codes of older epochs go on being checked with their own key. Keys lie in files named ``serial-mac-<epoch>``.
"""

from __future__ import annotations

from collections.abc import Mapping

from suyuan.gs1.serials import check_serial, serial_epoch


class MacKeys:
    """Keys by epoch and the epoch under which new serials are made."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        """``current`` must be one of the epochs in ``keys``."""
        self._keys = dict(keys)
        self.current = current
        self.current_key = self._keys[current]

    def __repr__(self) -> str:
        return f"MacKeys(epochs={''.join(sorted(self._keys))!r}, current={self.current!r})"

    @property
    def epochs(self) -> tuple[str, ...]:
        """The epochs that have a key, the oldest first."""
        return tuple(sorted(self._keys))

    def is_forged(self, gtin: str, serial: str) -> bool:
        """Whether a serial claims one of our epochs and its MAC is wrong.

        To be asked only for GTINs that are issued here: other systems' serials know nothing of our MAC.
        """
        epoch = serial_epoch(serial)
        return epoch is not None and epoch in self._keys and not check_serial(gtin, serial, self._keys)

    def is_ours(self, gtin: str, serial: str) -> bool:
        """Whether a serial carries the MAC of one of our epochs, which only an issued one does."""
        return check_serial(gtin, serial, self._keys)
