"""What the codes of the customs mean, in Chinese and English.

Each list is one CSV file (``code,zh,en``) under ``data/codes``; an operator's own file of the same name may
stand in its place (``CodeLists.replaced_by``). The lists are never complete: an
unlisted code is a warning and is kept as it stands. No list decides what an event says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from suyuan.errors import InputError


class CodeLabel(msgspec.Struct, frozen=True):
    """The names of one code; ``en`` may be empty."""

    zh: str
    en: str


class CodeLists:
    """Code lists by name, each a map from code to its names."""

    def __init__(self, lists: dict[str, dict[str, CodeLabel]]) -> None:
        self._lists = lists

    def names(self) -> list[str]:
        """The names of the lists, sorted."""
        return sorted(self._lists)

    def is_listed(self, code_list: str, code: str) -> bool:
        """Whether the list holds the code; a list that does not exist holds everything."""
        entries = self._lists.get(code_list)
        return entries is None or code in entries

    def label(self, code_list: str, code: str, language: str = "zh") -> str:
        """The code's name in ``zh`` or ``en``, else in the other, else the code itself."""
        entry = self._lists.get(code_list, {}).get(code)
        if entry is None:
            return code
        first, second = (entry.en, entry.zh) if language.startswith("en") else (entry.zh, entry.en)
        return first or second or code

    def entries(self, code_list: str) -> dict[str, CodeLabel]:
        """All codes of a list; empty for a list that does not exist."""
        return dict(self._lists.get(code_list, {}))

    def replaced_by(self, texts: Mapping[str, str]) -> CodeLists:
        """These lists with others in their place: CSV texts by list name, which the caller has read.

        Raises ``InputError`` (``customs.codes.unreadable``).
        """
        lists = dict(self._lists)
        for name, text in texts.items():
            try:
                lists[name] = read_code_list(text.removeprefix("\ufeff"))
            except (KeyError, AttributeError, csv.Error):
                raise InputError(
                    "customs.codes.unreadable",
                    "The code list cannot be read.",
                    path=name,
                    remedy="Save it as UTF-8 CSV with the header code,zh,en.",
                ) from None
        return CodeLists(lists)


def read_code_list(text: str) -> dict[str, CodeLabel]:
    """A code list from its CSV text; ``KeyError`` if it lacks the columns ``code`` and ``zh``."""
    entries = {}
    for row in csv.DictReader(io.StringIO(text)):
        entries[row["code"].strip()] = CodeLabel((row["zh"] or "").strip(), (row.get("en") or "").strip())
    return entries


@cache
def packaged_codes() -> CodeLists:
    """The lists that come with Suyuan."""
    folder = files("suyuan.customs") / "data" / "codes"
    return CodeLists(
        {
            file.name.removesuffix(".csv"): read_code_list(file.read_text("utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".csv")
        }
    )


def code_label(code_list: str, code: str, language: str = "zh", codes: CodeLists | None = None) -> str:
    """What ``code`` means, for people: ``code_label("return_status", "800", "en")`` is ``released``.

    Falls back to the other language and then to the code itself.
    """
    return (codes or packaged_codes()).label(code_list, code, language)
