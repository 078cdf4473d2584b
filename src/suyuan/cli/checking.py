"""``suyuan verify``, ``event-hash``, ``gs1`` and ``fsck``. All but ``fsck`` work offline and touch no database."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, run, show

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.log import Report

gs1 = CommandLine(
    no_args_is_help=True, help="GS1 URIs, one a line from standard input; one JSON object a line."
)


def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The proof bundle.")],
    log_key: Annotated[str, typer.Option(help="Verifier key of the log, from a source that you trust.")] = "",
    policy: Annotated[
        Path | None, typer.Option(exists=True, help="Trust policy: logs, witnesses, quorum.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof bundle, offline: signature, log, commitments, and that every fact is about the thing.

    Example: suyuan verify bundle.json --log-key "$(cat log.key)"
    """
    from suyuan.proof.verification import verify_bundle
    from suyuan.tlog.trust_policy import read_trust_policy

    trust = read_trust_policy(policy.read_bytes()) if policy else None
    report = verify_bundle(file.read_bytes(), log_key or None, trust)

    def text() -> str:
        lines = [
            f"{report.thing}",
            f"good: {len(report.facts)} facts for the audience {report.audience}",
            f"log {report.origin} at size {report.tree_size}",
        ]
        if report.key_source == "self-asserted":
            lines.append(
                "The log's key came with the bundle itself: this proves that the bundle is consistent, not whose log it"
                " is. Give --log-key from a source that you trust."
            )
        if report.witnesses:
            lines.append("witnesses: " + ", ".join(report.witnesses))
        lines += [f"note ({warning.path}): {warning.reason}" for warning in report.warnings]
        return "\n".join(lines)

    show(_plain(report), as_json, text)


def _plain(report: Any) -> dict[str, Any]:
    """The report as JSON takes it: hashes in hexadecimal."""
    fields = (
        report._asdict()
        if hasattr(report, "_asdict")
        else {n: getattr(report, n) for n in report.__struct_fields__}
    )
    return {**fields, "root_hash": report.root_hash.hex(), "facts": [_fact(fact) for fact in report.facts],
            "warnings": [[w.code, w.path, w.reason] for w in report.warnings]}  # fmt: skip


def _fact(fact: Any) -> dict[str, Any]:
    return {
        "log_index": fact.log_index,
        "recorded_on": fact.recorded_on.isoformat(),
        "body": fact.body,
        "statement": fact.statement,
        "ties": [list(tie) for tie in fact.ties],
    }


def event_hash(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="EPCIS document, JSON-LD or XML.")
    ],
    pre_hash: Annotated[bool, typer.Option("--pre-hash", help="The text that is hashed instead.")] = False,
) -> None:
    """The CBV 2.0 event hash of every event of a document, one line each, in its order."""
    from suyuan import epcis

    for derived in epcis.read(file.read_bytes(), name=file.name).events:
        typer.echo(epcis.pre_hash(derived.event) if pre_hash else epcis.event_hash(derived.event))


def _each_line(answer: Callable[[str], dict[str, Any]]) -> None:
    write, encode = sys.stdout.write, json.dumps
    for line in sys.stdin:
        uri = line.rstrip("\r\n")
        if uri:
            write(encode(answer(uri), ensure_ascii=False) + "\n")


@gs1.command("check")
def check() -> None:
    """Judge URIs by the rules of every application identifier.

    Each line out: {"uri", "valid", "error", "ais", "canonical", "urn"}. Example: suyuan gs1 check < uris.txt
    """
    from suyuan.gs1.digital_link import check_uri

    _each_line(lambda uri: dict(check_uri(uri)))


@gs1.command("translate")
def translate() -> None:
    """Translate Digital Links to EPC URNs and EPC URNs to Digital Links, in the form of ``check``."""
    from suyuan.gs1.digital_link import check_uri

    _each_line(lambda uri: dict(check_uri(uri)))


def fsck(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Derive everything again that is derived, and compare: indexes, leaves, tiles, roots, commitments.

    The exit code is 9 where anything was found.
    """
    from suyuan.tlog.note import Ed25519Verifier

    async def work(services: Services) -> Report:
        from suyuan.capture.checking import recompute_commitments
        from suyuan.log import fsck

        return await fsck(
            services.pool, Ed25519Verifier(services.signer.vkey), recompute=recompute_commitments
        )

    report = run(data_dir, work)

    def text() -> str:
        lines = [f"{report.entries:,} log entries, {report.waiting:,} waiting, {report.events:,} events"]
        lines += [f"{finding.code} {finding.reference}: {finding.reason}" for finding in report.findings]
        lines.append("clean" if report.clean else f"{report.finding_count} findings")
        return "\n".join(lines)

    show(report, as_json, text)
    if not report.clean:
        raise typer.Exit(9)
