"""Judging one field against its row of the table: presence, format, codes, numbers, check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from suyuan.customs.codes import CodeLists
from suyuan.customs.findings import Finding, error, warning
from suyuan.customs.message import Field, Part
from suyuan.customs.tables import FieldRule, number_forms
from suyuan.customs.values import (
    is_decimal,
    is_id_number,
    is_uscc,
    looks_like_air_waybill,
    read_air_waybill,
    read_gtin,
    read_time,
)
from suyuan.gs1.check_digits import container_valid

_LENGTH = re.compile(r"([CZN])(\d+)?(?:\.\.(\d+))?(?:,(\d+))?")
_TIME_LENGTHS = {"D8": 8, "T14": 14, "T17": 17}
# Transport mode 5, by air.
AIR = "5"
# Amounts of no stated size: what PostgreSQL and a person can still read.
_FREE_DIGITS, _FREE_PLACES = 24, 10


@cache
def _bounds(form: str) -> tuple[str, int, int, int]:
    found = _LENGTH.fullmatch(form)
    assert found is not None, form
    kind, first, last, places = found.groups()
    low = int(first) if first else 0
    return kind, low, int(last) if last else low, int(places or 0)


def fits(value: str, form: str) -> bool:
    """Whether a value has one format of the tables, e.g. ``C..60`` or ``N19,5``."""
    if form in _TIME_LENGTHS:
        return len(value) == _TIME_LENGTHS[form] and read_time(value) is not None
    if form == "T":
        return read_time(value) is not None
    if form == "N":
        return is_decimal(value, _FREE_DIGITS, _FREE_PLACES)
    if form == "Q":
        return (
            is_decimal(value, _FREE_DIGITS, _FREE_PLACES)
            and bool(re.search("[1-9]", value))
            and value[0] != "-"
        )
    kind, low, high, places = _bounds(form)
    if kind == "N":
        return is_decimal(value, high, places) and not value.startswith("-")
    if kind == "Z" and not re.fullmatch(r"\d+", value, re.ASCII):
        return False
    return low <= len(value) <= high


def _described(form: str) -> str:
    if form in ("D8", "T14", "T17", "T"):
        digits = {"D8": "yyyyMMdd", "T14": "yyyyMMddHHmmss", "T17": "yyyyMMddHHmmssSSS"}
        return f"an existing time written {digits.get(form, 'yyyy-MM-dd HH:mm:ss or yyyyMMdd')}"
    if form == "N":
        return "a decimal number"
    if form == "Q":
        return "a decimal number above zero"
    kind, low, high, places = _bounds(form)
    if kind == "N":
        return f"a decimal of at most {high} digits" + (
            f", {places} after the point" if places else ", whole"
        )
    what = "digits" if kind == "Z" else "characters"
    if low == high:
        return f"exactly {high} {what}"
    return f"{low} to {high} {what}" if low else f"at most {high} {what}"


def _described_zh(form: str) -> str:
    if form in ("D8", "T14", "T17", "T"):
        digits = {"D8": "yyyyMMdd", "T14": "yyyyMMddHHmmss", "T17": "yyyyMMddHHmmssSSS"}
        return f"真实时间，写成 {digits.get(form, 'yyyy-MM-dd HH:mm:ss 或 yyyyMMdd')}"
    if form == "N":
        return "数字"
    if form == "Q":
        return "大于零的数字"
    kind, low, high, places = _bounds(form)
    if kind == "N":
        return f"不超过 {high} 位的数字，" + (f"其中小数不超过 {places} 位" if places else "不带小数")
    what = "位数字" if kind == "Z" else "个字符"
    if low == high:
        return f"恰好 {high} {what}"
    return f"{low} 至 {high} {what}" if low else f"不超过 {high} {what}"


def _shown(field: Field) -> str:
    """The value for a reason, unless it is personal."""
    if field.rule is None or field.rule.personal:
        return "The value"
    return f"The value {field.value[:40]!r}"


def _shown_zh(field: Field) -> str:
    """The value for a reason in Chinese, unless it is personal; its length where that is the question."""
    size = f"（共 {len(field.value)} 个字符）"
    if field.rule is None or field.rule.personal:
        return f"所填内容{size}"
    return f"所填“{field.value[:40]}”{size if len(field.value) > 40 else ''}"


def _is_needed(rule: FieldRule, part: Part) -> bool:
    if rule.condition is not None:
        return part.value(rule.condition[0]) == rule.condition[1]
    if rule.needed_with:
        return bool(part.value(rule.needed_with))
    return rule.presence != "O"


def check_presence(part: Part) -> Iterator[Finding]:
    """What is missing, repeated or unknown in one part."""
    for rule in part.rules.values():
        if rule.presence == "O" or part.value(rule.name) or not _is_needed(rule, part):
            continue
        path = f"{part.path}/{rule.name}"
        if rule.presence == "M":
            yield error(
                "customs.field.missing",
                path,
                f"{rule.name} is mandatory and empty.",
                f"Fill in {rule.name}.",
                name=rule.name,
            )
        else:
            yield warning(
                "customs.field.expected",
                path,
                f"{rule.name} is empty; the specification asks for it.",
                name=rule.name,
            )
    for field in part.repeated:
        yield error(
            "customs.field.repeated",
            field.path,
            f"{field.name} stands more than once, so that its value is ambiguous.",
            f"Keep one {field.name}.",
            name=field.name,
        )
    for field in part.fields.values():
        if field.element.children:
            yield error("customs.field.not_text", field.path, f"{field.name} must be text, not elements.")
        elif field.rule is None and field.value:
            yield warning(
                "customs.field.unknown",
                field.path,
                f"No table knows {field.name}; it is kept as personal data.",
            )


def check_field(field: Field, part: Part, codes: CodeLists, receipt: bool) -> Iterator[Finding]:
    """What is wrong with the value of one field that the table knows."""
    rule = field.rule
    if rule is None or not field.value or field.element.children:
        return
    # In a receipt a mandatory time is still an error: without it there is no event.
    lenient = warning if receipt else error
    if not any(fits(field.value, form) for form in rule.formats):
        is_time = rule.formats[0][0] in "DT"
        code = "customs.field.time" if is_time else "customs.field.format"
        wanted = " or ".join(_described(form) for form in rule.formats)
        make = error if rule.presence == "M" and is_time else lenient
        yield make(
            code,
            field.path,
            f"{_shown(field)} is not {wanted}.",
            f"Send {wanted}.",
            found=_shown_zh(field),
            wanted="；或".join(_described_zh(form) for form in rule.formats),
        )
        return
    if rule.allowed and field.value not in rule.allowed:
        wanted = " or ".join(rule.allowed)
        yield lenient(
            "customs.field.value",
            field.path,
            f"{_shown(field)} is not {wanted}.",
            f"Send {wanted}.",
            found=_shown_zh(field),
            wanted=" 或 ".join(rule.allowed),
        )
    elif rule.code and not codes.is_listed(rule.code, field.value):
        yield warning(
            "customs.field.code_unlisted",
            field.path,
            f"{_shown(field)} is not in the list {rule.code}; it is kept as it stands.",
            "Check the code, or add it to the list.",
            found=_shown_zh(field),
            list=rule.code,
        )
    if rule.check:
        finding = _check_number(field, rule, part)
        if finding is not None:
            yield msgspec.structs.replace(finding, severity="warning") if receipt else finding


def _check_number(field: Field, rule: FieldRule, part: Part) -> Finding | None:
    value, path = field.value, field.path
    if rule.check == "id_number":
        if part.value(rule.check_with) != "1" or is_id_number(value):
            return None
        return error(
            "customs.field.id_number",
            path,
            "The identity number has not 18 characters, a real date of birth or the right check character.",
            "Compare it with the document of the person.",
        )
    if rule.check == "uscc":
        if is_uscc(value):
            return None
        return warning(
            "customs.field.uscc",
            path,
            f"{_shown(field)} has not the check character of GB 32100.",
            found=_shown_zh(field),
        )
    if rule.check == "gtin":
        # "none" in words is common and says that there is no bar code.
        if not value.isascii() or not value.isdigit() or read_gtin(value):
            return None
        return warning(
            "customs.field.gtin",
            path,
            f"{_shown(field)} is no GTIN: its check digit is wrong.",
            found=_shown_zh(field),
        )
    if rule.check == "bill":
        return _check_bill(field, rule, part)
    form = number_forms()[rule.check]
    if not form.pattern.fullmatch(value):
        make = error if form.severity == "error" else warning
        return make(
            "customs.field.number",
            path,
            f"{_shown(field)} has not the form of {field.name}.",
            f"Such a number looks like {form.example}.",
            found=_shown_zh(field),
            name=field.name,
            example=form.example,
        )
    if rule.check == "container" and not container_valid(value):
        return error(
            "customs.field.container",
            path,
            f"{_shown(field)} has a wrong check digit (ISO 6346).",
            "Compare it.",
            found=_shown_zh(field),
        )
    return None


def _check_bill(field: Field, rule: FieldRule, part: Part) -> Finding | None:
    """A number of air traffic must be an air waybill; elsewhere one that looks like it is only wondered at."""
    by_air = bool(rule.check_with) and part.value(rule.check_with) == AIR
    if read_air_waybill(field.value) or not (by_air or looks_like_air_waybill(field.value)):
        return None
    if not looks_like_air_waybill(field.value):
        return warning(
            "customs.field.air_waybill",
            field.path,
            f"{_shown(field)} has not the form of an air waybill.",
            found=_shown_zh(field),
        )
    make = error if by_air else warning
    return make(
        "customs.field.air_waybill",
        field.path,
        f"{_shown(field)} has a wrong check digit for an air waybill (first seven digits modulo 7).",
        "Compare it with the airline's number; such a number looks like 784-12345675.",
        found=_shown_zh(field),
    )
