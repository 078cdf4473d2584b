"""Words that a column offers, in five languages: what a template lists and what every sheet understands."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

LANGUAGES: Final = ("zh-CN", "en", "ja", "de", "fr")


@lru_cache(maxsize=1)
def _lists() -> dict[str, dict[str, list[str]]]:
    text = resources.files("suyuan.sheets").joinpath("data/choices.toml").read_text("utf-8")
    return tomllib.loads(text)


def words_of(choice: str, language: str) -> dict[str, str]:
    """The words of a list in one language by the word of the vocabulary, in the order in which they are offered."""
    place = LANGUAGES.index(language)
    return {word: texts[place] for word, texts in _lists()[choice].items()}


@lru_cache(maxsize=16)
def meanings_of(choice: str) -> dict[str, str]:
    """The word of the vocabulary by what may stand in a cell, in lower case: any language's word, or itself."""
    found: dict[str, str] = {}
    for word, texts in _lists()[choice].items():
        for text in (word, *texts):
            found.setdefault(text.casefold(), word)
    return found
