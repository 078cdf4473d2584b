"""Cells of a manifest: names of files, paths of tilts, places of patterns, numbers; None where it is no such thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import cast

from suyuan.label.model import Placement
from suyuan.label.path import DIRECTIONS, Direction, TiltPath


def files_in(cell: str, fault: Callable[[str], None]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in cell.split(";") if name.strip())
    for name in names:
        path = PurePosixPath(name)
        if (
            "\\" in name
            or "\x00" in name
            or path.is_absolute()
            or ".." in path.parts
            or re.match(r"[A-Za-z]:", name)
        ):
            fault("Files are named from the manifest's folder, with / between, and lie in it.")
            return ()
    return names


def path_in(cell: str) -> TiltPath | None:
    words = cell.split()
    if any(word not in DIRECTIONS for word in words):
        return None
    return TiltPath(tuple(cast(list[Direction], words)))


def placement_in(cell: str) -> Placement | None:
    numbers = [number_in(word) for word in cell.split()]
    if len(numbers) != 3 or None in numbers:
        return None
    x, y, side = cast(list[float], numbers)
    if not (abs(x) < 1000 and abs(y) < 1000 and 1 <= side < 1000):
        return None
    return Placement(x, y, side)


def number_in(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if number == number and abs(number) < 1e9 else None
