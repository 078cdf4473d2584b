"""The field tables of customs messages, as data.

One TOML file per message under ``data/messages``. ``[message]`` names the kind, its parts and whether the
authority writes it (``receipt``); every other table is a part of a record, one row per field::

    field = "PRESENCE FORMAT [token ...]"

PRESENCE: ``M`` mandatory; ``E`` expected (its lack is a warning: senders are seen to leave it out); ``O``.
FORMAT: ``C36`` exactly 36 characters, ``C..60`` at most 60, ``C1..3`` one to three; ``Z4`` exactly four
digits, ``Z..19`` at most 19; ``N4`` an integer of at most four digits, ``N19,5`` a decimal of at most 19
digits, five after the point, ``N`` any decimal, ``Q`` a decimal above zero; ``D8`` a day yyyyMMdd, ``T14`` to
the second, ``T17`` to the millisecond, ``T`` a day or a time in any spelling seen. ``/`` separates
alternatives. Tokens: ``personal=CATEGORY``, ``code=LIST``, ``check=FORM[:OTHER FIELD]``, ``is=VALUE``,
``in=A,B``, ``if=FIELD:VALUE`` and ``with=FIELD`` (presence counts only then).

Another message is another file and a rule in ``derivation``; no code here knows a message by name.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class FieldRule(msgspec.Struct, frozen=True):
    """What one field must be: a row of a table, read."""

    name: str
    presence: str
    formats: tuple[str, ...]
    personal: str = ""
    code: str = ""
    check: str = ""
    check_with: str = ""
    allowed: tuple[str, ...] = ()
    condition: tuple[str, str] | None = None
    needed_with: str = ""


class MessageTable(msgspec.Struct, frozen=True):
    """One message type: its place in the file, its parts and their fields."""

    kind: str
    family: str
    element: str
    name_zh: str
    name_en: str
    head: str
    many: tuple[str, ...]
    receipt: bool
    parts: dict[str, dict[str, FieldRule]]


class NumberForm(msgspec.Struct, frozen=True):
    """The form of a document number."""

    pattern: re.Pattern[str]
    severity: str
    example: str


def read_rule(name: str, row: str) -> FieldRule:
    """A field's rule from its row in a table."""
    presence, formats, *tokens = row.split()
    pairs = dict(token.split("=", 1) for token in tokens)
    check, _, check_with = pairs.get("check", "").partition(":")
    condition = None
    if "if" in pairs:
        field, _, value = pairs["if"].partition(":")
        condition = (field, value)
    allowed = tuple(pairs["in"].split(",")) if "in" in pairs else ()
    return FieldRule(
        name=name,
        presence=presence,
        formats=tuple(formats.split("/")),
        personal=pairs.get("personal", ""),
        code=pairs.get("code", ""),
        check=check,
        check_with=check_with,
        allowed=(pairs["is"],) if "is" in pairs else allowed,
        condition=condition,
        needed_with=pairs.get("with", ""),
    )


def read_table(text: str) -> MessageTable:
    """A message's table from its TOML text."""
    parsed = tomllib.loads(text)
    message = parsed.pop("message")
    return MessageTable(
        kind=message["kind"],
        family=message["family"],
        element=message.get("element", message["kind"] + "Message"),
        name_zh=message["name_zh"],
        name_en=message["name_en"],
        head=message["head"],
        many=tuple(message.get("many", ())),
        receipt=message.get("receipt", False),
        parts={
            part: {name: read_rule(name, row) for name, row in rows.items()} for part, rows in parsed.items()
        },
    )


@cache
def message_tables() -> dict[str, MessageTable]:
    """Every message type that is known, by the element that carries it (``CEB621Message``, ``INV201``)."""
    folder = files("suyuan.customs") / "data" / "messages"
    tables = [read_table(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".toml")]
    return {table.element: table for table in sorted(tables, key=lambda table: table.kind)}


@cache
def number_forms() -> dict[str, NumberForm]:
    """The forms of document numbers by name, e.g. ``bonded_list``."""
    text = (files("suyuan.customs") / "data" / "documents.toml").read_text("utf-8")
    return {
        name: NumberForm(re.compile(row["pattern"], re.ASCII), row["severity"], row["example"])
        for name, row in tomllib.loads(text).items()
    }


@cache
def field_labels() -> dict[str, tuple[str, str]]:
    """What fields are called, in Chinese and English, by name with a lower-case first letter."""
    text = (files("suyuan.customs") / "data" / "labels.csv").read_text("utf-8")
    return {row["field"]: (row["zh"], row["en"]) for row in csv.DictReader(io.StringIO(text))}
