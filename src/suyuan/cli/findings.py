"""What a check found in a paper, each fault with its place and remedy, in English and Chinese."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files as resources
from typing import Any

import msgspec

from suyuan.cli.context import explain, say
from suyuan.errors import SuyuanError

Words = tuple[tuple[str, str], ...]
# Words of a finding that are names of fields.
_FIELD_WORDS = frozenset({"name", "before", "other"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One finding about one file. ``severity`` is error or warning."""

    file: str
    severity: str
    code: str
    path: str
    field_zh: str = ""
    reason: str
    remedy: str = ""
    reason_zh: str = ""
    remedy_zh: str = ""


@functools.cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((resources("suyuan.cli") / "data" / "findings.zh.toml").read_text("utf-8"))


@functools.cache
def _chinese() -> dict[str, list[str]]:
    """What a finding means and what to do, whatever was found."""
    return {code: texts for code, texts in _texts().items() if code != "precise"}


def _precise() -> dict[str, list[str]]:
    """The same as templates, for findings that carry their words."""
    precise: dict[str, list[str]] = _texts()["precise"]
    return precise


def _chinese_of(code: str, words: Words) -> tuple[str, str]:
    """Reason and remedy in Chinese, with the words of the finding where it has them."""
    if words and code in _precise():
        named = {key: _named(word) if key in _FIELD_WORDS else word for key, word in words}
        reason, remedy = (text.format_map(named) for text in _precise()[code])
        return reason, remedy
    texts = _chinese().get(code, [])
    return (texts[0] if texts else explain(code)), (texts[1] if len(texts) > 1 else "")


def _named(field: str) -> str:
    """A field as a Chinese reader knows it and as it stands in the message."""
    label = _label(field)
    return f"{label}（{field}）" if label else field


@functools.cache
def _label(path: str) -> str:
    """What the field at a place is called in Chinese; empty for what is no customs field."""
    from suyuan.customs.tables import field_labels

    name = path.rpartition("/")[2].partition("[")[0]
    return field_labels().get(name[:1].lower() + name[1:], ("", ""))[0]


def found_in(
    file: str, severity: str, code: str, path: str, reason: str, remedy: str, words: Words = ()
) -> Found:
    reason_zh, remedy_zh = _chinese_of(code, words)
    return Found(
        file=file,
        severity=severity,
        code=code,
        path=path,
        field_zh=_label(path) if code.startswith("customs.") else "",
        reason=reason,
        remedy=remedy,
        reason_zh=reason_zh,
        remedy_zh=remedy_zh,
    )


def check_paper(data: bytes, file: str) -> list[Found]:
    """Everything that is wrong or odd in one paper, whatever its kind; stores nothing."""
    from suyuan import customs
    from suyuan.capture.paper import read_paper
    from suyuan.sheets import FaultySheetError

    if customs.recognise(data):
        return [
            found_in(file, one.severity, one.code, one.path, one.reason, one.remedy, one.words)
            for one in customs.check(data)
        ]
    try:
        reading = read_paper(data, name=file)
    except FaultySheetError as sheet:
        return [found_in(file, "error", one.code, one.path, one.reason, one.remedy) for one in sheet.faults]
    except SuyuanError as fault:
        return [found_in(file, "error", fault.code, fault.path, fault.reason, fault.remedy)]
    return [found_in(file, "warning", one.code, one.path, one.reason, "") for one in reading.warnings]


def findings_of(error: SuyuanError, data: bytes, file: str) -> list[Found]:
    """Everything that is wrong with a paper that was refused.

    Scans may have been read by a mapping that is not in the file: what was found then is what the error says.
    """
    from suyuan.sheets import FaultySheetError

    if isinstance(error, FaultySheetError):
        return [found_in(file, "error", one.code, one.path, one.reason, one.remedy) for one in error.faults]
    if not data or error.code.startswith("sheet.mapping."):
        return []
    return check_paper(data, file)


def chinese_of(error: SuyuanError) -> list[str]:
    """What is wrong with a customs message that was refused, a line each: field, what was found, what is wanted."""
    from suyuan.customs import FaultyMessageError

    if not isinstance(error, FaultyMessageError):
        return []
    found = [
        found_in("", one.severity, one.code, one.path, one.reason, one.remedy, one.words)
        for one in error.findings
        if one.severity == "error"
    ]
    return [f"  {one.path} {one.field_zh}：{one.reason_zh}{one.remedy_zh}" for one in found]


def text_of(found: Found, *, both: bool = False) -> str:
    """A finding for people: in the language of this run, or in both."""
    chinese = found.reason_zh and (both or say("", "zh"))
    mark = say("error", "错误") if found.severity == "error" else say("note", "提示")
    label = f" {found.field_zh}" if found.field_zh and chinese else ""
    lines = [f"  {mark} [{found.code}] {found.path}{label}"]
    if chinese:
        lines.append(f"    {found.reason_zh}{found.remedy_zh}")
    lines.append(f"    {found.reason}")
    if found.remedy:
        lines.append(f"    -> {found.remedy}")
    return "\n".join(lines)
