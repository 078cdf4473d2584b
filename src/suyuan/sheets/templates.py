"""The templates that firms without electronic data interchange fill in: which there are and what stands in them.

A template is data: its columns, how far each must be filled in, the words it offers, rows that show it filled in, and
what it says in five languages. The headers that it writes are the ones that reading understands, so that a filled
template is a paper like any other.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import msgspec

from suyuan.errors import NotFoundError
from suyuan.sheets.choices import LANGUAGES, words_of

_CATALOGUE: Final = frozenset({"product", "place"})


class Column(msgspec.Struct, frozen=True):
    """A column: its field, ``must``, ``may`` or ``either``, the form of its values, the list that it offers."""

    field: str
    need: str
    form: str
    choice: str
    texts: dict[str, tuple[str, str]]

    def label(self, language: str) -> str:
        """What stands in the header."""
        return self.texts[language][0]

    def meaning(self, language: str) -> str:
        """What goes into the column."""
        return self.texts[language][1]


class Template(msgspec.Struct, frozen=True):
    """A template: ``reads`` is the kind of paper that a filled one is, or ``product`` or ``place``."""

    name: str
    reads: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, str], ...]
    texts: dict[str, tuple[str, str]]

    def title(self, language: str) -> str:
        """What it is called."""
        return self.texts[language][0]

    def purpose(self, language: str) -> str:
        """What a row of it says."""
        return self.texts[language][1]

    def example(self, row: dict[str, str], language: str) -> list[str]:
        """The cells of one of ``rows`` as somebody would fill them in in this language."""
        return [
            words_of(column.choice, language).get(row[column.field], row[column.field])
            if column.choice and column.field in row
            else row.get(column.field, "")
            for column in self.columns
        ]


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("suyuan.sheets").joinpath(f"data/{name}.toml").read_text("utf-8"))


def _texts(entry: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {language: (entry[language][0], entry[language][1]) for language in LANGUAGES}


@lru_cache(maxsize=1)
def templates() -> dict[str, Template]:
    """The templates by name, in the order in which they are listed."""
    papers, catalogue = _data("columns"), _data("catalogue_columns")
    found = {}
    for name, entry in _data("templates").items():
        columns = catalogue[entry["reads"]] if entry["reads"] in _CATALOGUE else papers
        choices = entry.get("choices", {})
        found[name] = Template(
            name=name,
            reads=entry["reads"],
            columns=tuple(
                Column(field, need, columns[field]["form"], choices.get(field, ""), _texts(columns[field]))
                for field, need in entry["columns"]
            ),
            rows=tuple(entry["rows"]),
            texts=_texts(entry),
        )
    return found


def find_template(name: str) -> Template:
    """One template. Raises ``NotFoundError`` (``template.unknown``)."""
    found = templates().get(name)
    if found is None:
        raise NotFoundError(
            "template.unknown",
            "There is no template of that name.",
            path="name",
            remedy="There are: " + ", ".join(templates()) + ".",
        )
    return found


def find_language(text: str) -> str:
    """A language of the templates from a tag such as ``de-AT``. Raises ``NotFoundError`` (``template.language``)."""
    primary = text.strip().replace("_", "-").partition("-")[0].lower()
    for language in LANGUAGES:
        if language.partition("-")[0] == primary:
            return language
    raise NotFoundError(
        "template.language",
        "There is no template in that language.",
        path="lang",
        remedy="There are: " + ", ".join(LANGUAGES) + ".",
    )


@lru_cache(maxsize=1)
def column_labels() -> dict[str, tuple[str, ...]]:
    """The labels of every field of papers, in all languages."""
    return {
        field: tuple(entry[language][0] for language in LANGUAGES)
        for field, entry in _data("columns").items()
    }


@lru_cache(maxsize=4)
def catalogue_labels(kind: str) -> dict[str, str]:
    """The field by its label, in lower case, for ``product`` or ``place``, in all languages."""
    return {
        entry[language][0].casefold(): field
        for field, entry in _data("catalogue_columns")[kind].items()
        for language in LANGUAGES
    }


@lru_cache(maxsize=1)
def template_words() -> dict[str, dict[str, list[str]]]:
    """The words of the guides: ``words``, ``rules`` and ``forms``, each text in the order of ``LANGUAGES``."""
    return _data("template_texts")


def word(section: str, name: str, language: str) -> str:
    """A word of the templates' own in one language."""
    return template_words()[section][name][LANGUAGES.index(language)]


@lru_cache(maxsize=1)
def side_sheets() -> frozenset[str]:
    """What the sheets beside the table are called in a template: they are not read."""
    words = template_words()["words"]
    return frozenset(words["guide"] + words["lists"])
