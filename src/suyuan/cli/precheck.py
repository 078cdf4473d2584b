"""``suyuan check``: papers judged before they are sent, each fault with its place and remedy, in two languages."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from suyuan.cli.checking import read_file
from suyuan.cli.context import AsJson, DataDir, console, explain, run, say, show
from suyuan.cli.mappings import mapping_given, stored_of
from suyuan.cli.papers import files_of, no_papers
from suyuan.errors import InputError, NotFoundError, SuyuanError

if TYPE_CHECKING:
    from suyuan.customs.signed_content import SignedContent
    from suyuan.sheets.recognised import StoredMapping

Papers = list[tuple[str, bytes]]
Words = tuple[tuple[str, str], ...]
_SIGNATURES = {
    "unsigned": (", unsigned", "，未签名"),
    "agrees": (
        ", signed: the digest agrees, the certificate is not judged offline",
        "，已签名：摘要相符，证书不作离线判断",
    ),
    "differs": (", signed: the digest differs", "，已签名：摘要不符"),
    "unjudged": (", signed: not judged", "，已签名：未能核对"),
}
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


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of all files.

    ``signatures`` has the customs messages: ``unsigned``, ``agrees`` (the content is what was signed; certificates are
    not judged here), ``differs`` or ``unjudged``.
    """

    files: dict[str, str]
    signatures: dict[str, str] = {}
    errors: int
    warnings: int
    findings: list[Found]


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


def _found(
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


def kind_of(data: bytes, name: str) -> str:
    """What a paper is; empty for what is not known or would be refused."""
    from suyuan.capture.paper import read_paper

    try:
        return read_paper(data, name=name).kind
    except SuyuanError:
        return ""


def check_paper(data: bytes, file: str) -> list[Found]:
    """Everything that is wrong or odd in one paper, whatever its kind; stores nothing."""
    from suyuan import customs
    from suyuan.capture.paper import read_paper
    from suyuan.sheets import FaultySheetError

    if customs.recognise(data):
        return [
            _found(file, one.severity, one.code, one.path, one.reason, one.remedy, one.words)
            for one in customs.check(data)
        ]
    try:
        reading = read_paper(data, name=file)
    except FaultySheetError as sheet:
        return [_found(file, "error", one.code, one.path, one.reason, one.remedy) for one in sheet.faults]
    except SuyuanError as fault:
        return [_found(file, "error", fault.code, fault.path, fault.reason, fault.remedy)]
    return [_found(file, "warning", one.code, one.path, one.reason, "") for one in reading.warnings]


def findings_of(error: SuyuanError, data: bytes, file: str) -> list[Found]:
    """Everything that is wrong with a paper that was refused.

    Scans may have been read by a mapping that is not in the file: what was found then is what the error says.
    """
    from suyuan.sheets import FaultySheetError

    if isinstance(error, FaultySheetError):
        return [_found(file, "error", one.code, one.path, one.reason, one.remedy) for one in error.faults]
    if not data or error.code.startswith("sheet.mapping."):
        return []
    return check_paper(data, file)


def chinese_of(error: SuyuanError) -> list[str]:
    """What is wrong with a customs message that was refused, a line each: field, what was found, what is wanted."""
    from suyuan.customs import FaultyMessageError

    if not isinstance(error, FaultyMessageError):
        return []
    found = [
        _found("", one.severity, one.code, one.path, one.reason, one.remedy, one.words)
        for one in error.findings
        if one.severity == "error"
    ]
    return [f"  {one.path} {one.field_zh}：{one.reason_zh}{one.remedy_zh}" for one in found]


def _signature(file: str, signed: SignedContent) -> Found:
    """What is wrong with a signature: an error where the content was changed, else a note that it was not judged."""
    changed = signed.state == "differs"
    remedy = "Sign the message again after its last change." if changed else ""
    return _found(file, "error" if changed else "warning", signed.code, "/Signature", signed.reason, remedy)


def check_all(papers: list[tuple[str, bytes]], notes: Sequence[Found] = ()) -> Checked:
    """Every paper by itself, then all of them against each other; ``notes`` are what was found before."""
    from suyuan.customs.matching import match, papers_of
    from suyuan.customs.signed_content import signed_content

    findings = [*notes, *(one for file, data in papers for one in check_paper(data, file))]
    signatures = {file: signed for file, data in papers if (signed := signed_content(data))}
    findings += [_signature(file, signed) for file, signed in signatures.items() if signed.reason]
    records = [record for file, data in papers for record in papers_of(data, file)]
    findings += [
        _found(file, one.severity, one.code, one.path, one.reason, one.remedy, one.words)
        for file, one in match(records)
    ]
    files = dict.fromkeys([*(one.file for one in notes), *(file for file, _ in papers)], "")
    order = {file: number for number, file in enumerate(files)}
    findings.sort(key=lambda one: order[one.file])
    errors = sum(one.severity == "error" for one in findings)
    return Checked(
        files=files | {file: kind_of(data, file) for file, data in papers},
        signatures={file: signed.state for file, signed in signatures.items()},
        errors=errors,
        warnings=len(findings) - errors,
        findings=findings,
    )


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


def _print(checked: Checked) -> None:
    screen = console()
    for file, kind in checked.files.items():
        own = [one for one in checked.findings if one.file == file]
        what = kind or say("would be refused", "会被拒收")
        signed = say(*_SIGNATURES.get(checked.signatures.get(file, ""), ("", "")))
        nothing = "" if own else say(", nothing found", "，未发现问题")
        screen.print(f"{file}: {what}{signed}{nothing}", markup=False)
        for one in own:
            screen.print(text_of(one), markup=False, style="red" if one.severity == "error" else "yellow")
    screen.print(
        say(
            ", ".join(
                f"{number} {word}{'' if number == 1 else 's'}"
                for number, word in (
                    (len(checked.files), "file"),
                    (checked.errors, "error"),
                    (checked.warnings, "note"),
                )
            ),
            f"共 {len(checked.files)} 份文件，{checked.errors} 处错误，{checked.warnings} 处提示",
        ),
        markup=False,
    )


def _explained_by(
    mapping: str, party: str, data_dir: Path | None
) -> Callable[[Papers], tuple[Papers, list[Found]]] | None:
    """How papers get the mapping in front that they are read by; None where none is given."""
    from suyuan.sheets.mapping import with_mapping
    from suyuan.sheets.recognised import choose_mapping, may_be_scans

    given, name = mapping_given(mapping)
    if name and not party:
        raise InputError(
            "cli.mapping.party",
            "A stored mapping belongs to a party.",
            path="--party",
            remedy="Give --party ID, or the mapping as a file.",
        )
    if given is None and not party:
        return None
    stored = run(data_dir, lambda services: stored_of(services, party)) if party else []
    if name and not (stored := [one for one in stored if one.name == name]):
        raise NotFoundError(
            "mapping.unknown",
            "The party has no such mapping, or took it back.",
            path="--mapping",
            remedy="suyuan mapping list shows the names.",
        )

    def one(data: bytes) -> tuple[bytes, StoredMapping | None]:
        if not may_be_scans(data):
            return data, None
        if given is not None:
            return with_mapping(given, data), None
        chosen = stored[0] if name else choose_mapping(stored, data) if stored else None
        return (data, None) if chosen is None else (chosen.before(data), chosen)

    def explained(papers: Papers) -> tuple[Papers, list[Found]]:
        ready, notes = [], []
        for file, data in papers:
            try:
                whole, used = one(data)
            except SuyuanError as error:
                notes.append(_found(file, "error", error.code, error.path, error.reason, error.remedy))
                continue
            ready.append((file, whole))
            if used is not None:
                reason = f"Read by the stored mapping {used.name}, version {used.version}."
                notes.append(_found(file, "warning", "sheet.mapping.stored", "mapping", reason, ""))
        return ready, notes

    return explained


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR...", help="Files or folders; - for standard input.")
    ],
    mapping: Annotated[
        str,
        typer.Option(
            metavar="FILE|NAME", help="Read scans by this TOML, or by this stored mapping of --party."
        ),
    ] = "",
    party: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Read scans by the mappings that this party stored, as capture does."
        ),
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check papers before they are sent: fields, codes, check digits, sums, mode rules; nothing is stored.

    Several files are also held against each other as customs does (三单对碰): order, payment, waybill and import list
    must agree in buyer, amounts and goods; what stands twice and what goes beyond the limits is told. Exit code 0: may
    be sent, with or without notes; 2: something is wrong.

    Of a signature is told whether the digest agrees with the content; whose certificate it is, is not judged offline.

    Scans in a shape of one's own are read by --mapping, or with --party by what that party stored.

    \b
      suyuan check order.xml payment.xml waybill.xml list.xml
      suyuan check scans.csv --mapping courier.toml
      suyuan --lang zh check outbox/ --json
    """
    found = [file for path in paths for file in ([path] if str(path) == "-" else files_of(path))]
    if not found:
        raise no_papers(paths)
    papers = [(str(file), read_file(file)) for file in found]
    how = _explained_by(mapping, party, data_dir)
    checked = check_all(*how(papers)) if how else check_all(papers)
    if as_json:
        show(checked, True, str)
    else:
        _print(checked)
    if checked.errors:
        raise typer.Exit(InputError.exit_code)
