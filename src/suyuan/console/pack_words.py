"""What a station says, in big words: one or two that are read across a table, and one sentence that says what to do.

The words are data (``data/pack_words.toml``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from suyuan.console.words import Pair


class Said(NamedTuple):
    """A big word and what to do now, each in Chinese and English."""

    word: Pair
    do: Pair


_WORDS = tomllib.loads((Path(__file__).parent / "data" / "pack_words.toml").read_text("utf-8"))


def _said(section: str) -> dict[str, Said]:
    return {
        name: Said((word_zh, word_en), (do_zh, do_en))
        for name, (word_zh, word_en, do_zh, do_en) in _WORDS[section].items()
    }


REFUSALS: dict[str, Said] = _said("refusals")
STATES: dict[str, Said] = _said("states")
# A kind of act: its name, and the drawing of its key.
MODES: dict[str, tuple[Pair, str]] = {
    name: ((zh, en), drawing) for name, (zh, en, drawing) in _WORDS["modes"].items()
}
REASONS: tuple[tuple[str, Pair], ...] = tuple(
    (value, (zh, en)) for value, (zh, en) in _WORDS["reasons"].items()
)
SCREEN: dict[str, Pair] = {name: (zh, en) for name, (zh, en) in _WORDS["screen"].items()}
