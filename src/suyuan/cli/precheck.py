"""``suyuan check``: papers judged before they are sent, each fault with its place and remedy, in two languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.checking import read_file
from suyuan.cli.context import AsJson, DataDir, console, run, say, show
from suyuan.cli.findings import Found, check_paper, found_in, text_of
from suyuan.cli.mappings import mapping_given, stored_of
from suyuan.cli.papers import files_of, no_papers
from suyuan.errors import InputError, NotFoundError, SuyuanError

if TYPE_CHECKING:
    from suyuan.customs.signed_content import SignedContent
    from suyuan.sheets.recognised import StoredMapping

Papers = list[tuple[str, bytes]]
_SIGNATURES = {
    "unsigned": (", unsigned", "，未签名"),
    "agrees": (
        ", signed: the digest agrees, the certificate is not judged offline",
        "，已签名：摘要相符，证书不作离线判断",
    ),
    "differs": (", signed: the digest differs", "，已签名：摘要不符"),
    "unjudged": (", signed: not judged", "，已签名：未能核对"),
}


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


def kind_of(data: bytes, name: str) -> str:
    """What a paper is; empty for what is not known or would be refused."""
    from suyuan.capture.paper import read_paper

    try:
        return read_paper(data, name=name).kind
    except SuyuanError:
        return ""


def _signature(file: str, signed: SignedContent) -> Found:
    """What is wrong with a signature: an error where the content was changed, else a note that it was not judged."""
    changed = signed.state == "differs"
    remedy = "Sign the message again after its last change." if changed else ""
    return found_in(file, "error" if changed else "warning", signed.code, "/Signature", signed.reason, remedy)


def check_all(papers: list[tuple[str, bytes]], notes: Sequence[Found] = ()) -> Checked:
    """Every paper by itself, then all of them against each other; ``notes`` are what was found before."""
    from suyuan.customs.matching import match, papers_of
    from suyuan.customs.signed_content import signed_content

    findings = [*notes, *(one for file, data in papers for one in check_paper(data, file))]
    signatures = {file: signed for file, data in papers if (signed := signed_content(data))}
    findings += [_signature(file, signed) for file, signed in signatures.items() if signed.reason]
    records = [record for file, data in papers for record in papers_of(data, file)]
    findings += [
        found_in(file, one.severity, one.code, one.path, one.reason, one.remedy, one.words)
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
                notes.append(found_in(file, "error", error.code, error.path, error.reason, error.remedy))
                continue
            ready.append((file, whole))
            if used is not None:
                reason = f"Read by the stored mapping {used.name}, version {used.version}."
                notes.append(found_in(file, "warning", "sheet.mapping.stored", "mapping", reason, ""))
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
