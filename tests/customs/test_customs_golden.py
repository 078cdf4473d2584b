"""Golden triples: a message, its fields as an operator sees them, its events.

``SUYUAN_WRITE_GOLDEN=1`` writes them anew; the difference is then for a person to read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import customs_messages as messages
import msgspec
import pytest

from suyuan import customs

GOLDEN = Path(__file__).parent / "golden"
# What a message cannot help saying: the port's answer has no time, so that it is evidence alone.
ODDITIES = {"SAS/CommonResponse": ["customs.record.undated"]}
WRITE = os.environ.get("SUYUAN_WRITE_GOLDEN") == "1"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: plain for key, item in value.items() if (plain := _plain(item)) not in (None, [], "", {})
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _json(value: object) -> str:
    built = msgspec.json.decode(msgspec.json.encode(value))
    return json.dumps(_plain(built), ensure_ascii=False, indent=1) + "\n"


def _table(groups: list[customs.FieldGroup]) -> str:
    """One line per field: path, value, label and meaning in both languages, personal category."""
    return "".join(
        " | ".join((f.path, f.value, f.label_zh, f.label_en, f.meaning_zh, f.meaning_en, f.personal)).rstrip(
            " |"
        )
        + "\n"
        for group in groups
        for f in group.fields
    )


@pytest.mark.parametrize("kind", messages.KINDS)
def test_golden(kind: str) -> None:
    name = kind.replace("SAS/", "").lower()
    data = messages.message(kind)
    reading = customs.read(data)
    assert customs.recognise(data)
    assert reading.kind == kind.removesuffix("-exit")
    told = ODDITIES.get(kind, [])
    assert [one.code for one in reading.warnings] == told
    assert [one.code for one in customs.check(data)] == told
    produced = {
        f"{name}.xml": data.decode(),
        f"{name}.fields.txt": _table(customs.fields(data)),
        f"{name}.events.json": _json({"events": reading.events, "personal": reading.personal}),
    }
    for file, content in produced.items():
        if WRITE:
            (GOLDEN / file).write_text(content, "utf-8")
        assert (GOLDEN / file).read_text("utf-8") == content


def test_every_message_type_has_a_golden_triple() -> None:
    kinds = {kind.removesuffix("-exit") for kind in messages.KINDS}
    assert kinds == set(customs.message_kinds())
