"""Bytes of a customs message in, a ``Reading``, findings or fields out."""

from __future__ import annotations

import msgspec

from suyuan.customs.codes import CodeLists, packaged_codes
from suyuan.customs.derivation import derive
from suyuan.customs.findings import FaultyMessageError, Finding
from suyuan.customs.message import Message, Part, read_message
from suyuan.customs.personal import personal_fields
from suyuan.customs.tables import MessageTable, field_labels, message_tables
from suyuan.customs.validation import findings_of
from suyuan.epcis.reading import Reading, Warning_
from suyuan.errors import SuyuanError


class FieldValue(msgspec.Struct, frozen=True):
    """One field for people: its value as sent, its names, what its code means, and whether it is personal."""

    name: str
    path: str
    value: str
    label_zh: str = ""
    label_en: str = ""
    meaning_zh: str = ""
    meaning_en: str = ""
    personal: str = ""


class FieldGroup(msgspec.Struct, frozen=True):
    """The head or a line of one record: ``record`` counts records from 1."""

    kind: str
    record: int
    part: str
    path: str
    fields: tuple[FieldValue, ...]


def read(data: bytes, *, name: str = "", codes: CodeLists | None = None) -> Reading:
    """Read a CEB or SAS message: its events, its personal data, its warnings.

    ``codes`` are the operator's code lists. ``name`` (of the file) does not matter. Raises
    ``FaultyMessageError`` (an ``InputError``; ``customs.field.*``, ``customs.record.*``) with every finding,
    or what ``read_message`` raises.
    """
    del name
    message = read_message(data)
    findings = findings_of(message, codes or packaged_codes())
    if any(finding.severity == "error" for finding in findings):
        raise FaultyMessageError(findings)
    events, oddities = derive(message)
    warnings = [Warning_(finding.code, finding.path, finding.reason) for finding in findings]
    return Reading(
        kind=message.table.kind,
        events=events,
        personal=personal_fields(message, data),
        warnings=(*warnings, *oddities),
    )


def check(data: bytes, *, codes: CodeLists | None = None) -> list[Finding]:
    """Every fault and oddity of a message before it is sent; never raises for what the bytes hold."""
    try:
        message = read_message(data)
        findings = list(findings_of(message, codes or packaged_codes()))
        if not any(finding.severity == "error" for finding in findings):
            _, oddities = derive(message)
            findings.extend(Finding(one.code, one.path, one.reason, "", "warning") for one in oddities)
    except SuyuanError as fault:
        return [Finding(fault.code, fault.path, fault.reason, fault.remedy)]
    return findings


def _group(message: Message, number: int, part: Part, codes: CodeLists) -> FieldGroup:
    labels = field_labels()
    values = []
    for field in part.all_fields():
        zh, en = labels.get(field.name[:1].lower() + field.name[1:], ("", ""))
        rule = field.rule
        code_list = (
            rule.code if rule is not None and field.value and codes.is_listed(rule.code, field.value) else ""
        )
        values.append(
            FieldValue(
                name=field.name,
                path=field.path,
                value=field.value,
                label_zh=zh,
                label_en=en,
                meaning_zh=codes.label(code_list, field.value, "zh") if code_list else "",
                meaning_en=codes.label(code_list, field.value, "en") if code_list else "",
                personal="free_text" if rule is None else rule.personal,
            )
        )
    return FieldGroup(message.table.kind, number, part.name, part.path, tuple(values))


def fields(data: bytes, *, codes: CodeLists | None = None) -> list[FieldGroup]:
    """The fields of every record, faulty ones too, for an operator's page or console.

    Personal fields are marked, not masked: who may see them is not decided here. Raises what
    ``read_message`` raises.
    """
    message = read_message(data)
    lists = codes or packaged_codes()
    return [
        _group(message, number, part, lists)
        for number, record in enumerate(message.records, start=1)
        for part in record.parts()
    ]


def message_kinds() -> dict[str, MessageTable]:
    """The message types that are read, by kind (``CEB621``, ``SAS/INV101``)."""
    return {table.kind: table for table in message_tables().values()}
