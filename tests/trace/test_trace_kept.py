"""What is kept at hand stays within its bytes."""

from __future__ import annotations

from suyuan.trace.kept import Kept


def test_the_least_recently_used_goes_when_the_bytes_are_full() -> None:
    kept: Kept[str, int] = Kept(10)
    kept.put("a", 1, 4)
    kept.put("b", 2, 4)
    assert kept.get("a") == 1
    kept.put("c", 3, 4)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
    assert kept.size == 8


def test_what_is_put_again_counts_once() -> None:
    kept: Kept[str, int] = Kept(10)
    for value in range(5):
        kept.put("a", value, 6)
    assert (kept.get("a"), kept.size, len(kept)) == (4, 6, 1)
    kept.drop("a")
    kept.drop("a")
    assert (kept.get("a"), kept.size) == (None, 0)


def test_what_is_larger_than_all_room_is_not_kept_and_drives_nothing_out() -> None:
    kept: Kept[str, int] = Kept(10)
    kept.put("a", 1, 10)
    kept.put("b", 2, 11)
    assert (kept.get("a"), kept.get("b")) == (1, None)
