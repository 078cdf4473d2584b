"""``suyuan verify``, ``event-hash``, ``gs1`` and ``fsck``. All but ``fsck`` work offline and touch no database."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.context import AsJson, CommandLine, DataDir, console, run, say, show
from suyuan.errors import InputError, IntegrityError, NotFoundError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.log import Report
    from suyuan.proof.verification import BundleReport

gs1 = CommandLine(
    help="GS1 identifiers: check and translate, one URI a line on standard input.", no_args_is_help=True
)


def read_file(path: Path) -> bytes:
    """The bytes of a file, or of standard input for ``-``. Raises ``NotFoundError`` (``cli.file``)."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            "cli.file", f"The file cannot be read: {error.strerror}.", path=str(path)
        ) from None


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A proof bundle; - for standard input.")],
    log_key: Annotated[
        str,
        typer.Option(
            "--log-key",
            metavar="VKEY",
            help="The log's key, or a file that holds it: get it from a source that you trust.",
        ),
    ] = "",
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="A trust policy (C2SP tlog-policy): logs, witnesses, quorum."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof bundle offline: signature, inclusion, every disclosed claim, every tie to the item.

    Without --log-key or --policy the key in the bundle itself is used: the bundle then only agrees with itself, and
    that is said. Exit code 0: it holds; 7: it does not.

    \b
      suyuan verify tin.bundle.json --log-key trace.example/log+1f2e3d4c+AbCd...
    """
    from suyuan.proof.verification import verify_bundle
    from suyuan.tlog.trust_policy import read_trust_policy

    key = log_key.strip()
    if key and "+" not in key:
        key = read_file(Path(key)).decode("utf-8", "replace").strip()
    trust = read_trust_policy(read_file(policy)) if policy is not None else None
    report = verify_bundle(read_file(bundle), key or None, trust)
    if as_json:
        show(report_json(report), True, str)
    else:
        _print_report(report)


def report_json(report: BundleReport) -> dict[str, object]:
    """A report as JSON: hashes in hexadecimal."""
    return {
        "holds": True,
        "thing": report.thing,
        "audience": report.audience,
        "made_at": report.made_at,
        "key_source": report.key_source,
        "origin": report.origin,
        "tree_size": report.tree_size,
        "root_hash": report.root_hash.hex(),
        "witnesses": report.witnesses,
        "facts": [
            {
                "log_index": fact.log_index,
                "recorded_on": fact.recorded_on,
                "body": fact.body,
                "statement": fact.statement,
                "ties": [{"kind": t.kind, "fact": t.fact, "source": t[2], "target": t[3]} for t in fact.ties],
            }
            for fact in report.facts
        ],
        "warnings": report.warnings,
    }


def _print_report(report: BundleReport) -> None:
    screen = console()
    count = len(report.facts)
    screen.print(
        say(f"The bundle holds: {count} facts, each proved.", f"证明成立：共 {count} 条事实，逐条验证通过。"),
        style="bold green",
    )
    screen.print(f"  {report.thing}", markup=False)
    log = say(
        f"Log {report.origin}, {report.tree_size:,} entries", f"日志 {report.origin}，{report.tree_size:,} 条"
    )
    screen.print(f"  {log}", markup=False)
    if report.witnesses:
        screen.print(f"  {say('Witnesses', '见证方')}: {', '.join(report.witnesses)}", markup=False)
    for fact in report.facts:
        when = str(fact.body.get("eventTime", ""))[:16].replace("T", " ")
        step = str(fact.body.get("bizStep", fact.body.get("type", ""))).rpartition("/")[2].rpartition(":")[2]
        who = f"{fact.statement.get('party', '')} ({fact.statement.get('assurance', '')})"
        screen.print(
            f"  #{fact.log_index:<8} {when:<17} {step.removeprefix('BizStep-'):<22} {who}", markup=False
        )
    for warning in report.warnings:
        place = f"{warning.path}: " if warning.path else ""
        screen.print(f"  {say('Note', '注意')}: {place}{warning.reason}", style="yellow", markup=False)


def event_hash(
    file: Annotated[Path, typer.Argument(help="An EPCIS document, JSON-LD or XML; - for standard input.")],
    pre_hash: Annotated[bool, typer.Option("--pre-hash", help="Print the text that is hashed.")] = False,
) -> None:
    """The CBV 2.0 event hash ID of every event of a document, one a line, in its order.

    Person documents (orders, waybills...) are hashed as they stand; a deployment replaces them by pseudonyms first,
    so its IDs of such events differ.

    \b
      suyuan event-hash events.jsonld
    """
    from suyuan import epcis

    compute = epcis.pre_hash if pre_hash else epcis.event_hash
    for derived in epcis.read(read_file(file)).events:
        sys.stdout.write(compute(derived.event) + "\n")


# A pipe gives less at a time, a terminal a line: what is there is answered at once.
_BLOCK = 1 << 18


def _read_lines() -> Iterator[list[str]]:
    """The lines of standard input as they come, those that came together in one list.

    A byte order mark, as editors on Windows write it, is no part of the first line.
    """
    rest = b""
    first = True
    while chunk := os.read(sys.stdin.fileno(), _BLOCK):
        *whole, rest = (rest + chunk).split(b"\n")
        if first and whole:
            whole[0], first = whole[0].removeprefix(BOM_UTF8), False
        yield [line.decode("utf-8", "replace").rstrip("\r") for line in whole]
    yield [(rest.removeprefix(BOM_UTF8) if first else rest).decode("utf-8", "replace").rstrip("\r")]


def _judge_lines() -> bool:
    """One JSON object for each line of standard input, without waiting for the next; whether all were valid."""
    from suyuan.gs1.digital_link import check_uri

    encode = msgspec.json.Encoder().encode
    good = True
    for lines in _read_lines():
        found = [check_uri(line) for line in lines if line]
        good = good and all(one["valid"] for one in found)
        sys.stdout.buffer.write(b"".join([encode(one) + b"\n" for one in found]))
        sys.stdout.buffer.flush()
    return good


@gs1.command("check")
def check() -> None:
    """Judge GS1 identifiers: one URI a line in, one JSON object a line out. Exit code 2 if one is not valid.

    Fields: uri, valid, error (code: reason), ais (element string), canonical, urn.

    \b
      echo https://id.gs1.org/01/09506000134352/21/A1 | suyuan gs1 check
    """
    if not _judge_lines():
        raise typer.Exit(InputError.exit_code)


@gs1.command("translate")
def translate() -> None:
    """Translate between Digital Links and EPC URNs: one URI a line in, one JSON object a line out.

    The fields are those of check; canonical is the Digital Link on id.gs1.org, urn the EPC URN where the company
    prefix is known. What cannot be translated has null there.

    \b
      echo urn:epc:id:sgtin:9506000.013435.A1 | suyuan gs1 translate
    """
    _judge_lines()


def fsck(
    quick: Annotated[bool, typer.Option("--quick", help="Leave contents of events and labels out.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the deployment: events, intake and log tell one story, tiles and checkpoints are what the rows give, and
    each label's record is the one that its event commits to.

    Reads one snapshot and changes nothing; a server may run meanwhile. Exit code 0: clean; 9: something was found.

    \b
      suyuan fsck --data-dir /var/lib/suyuan
    """
    from rich.progress import Progress, TaskID

    async def work(services: Services) -> Report:
        from suyuan import log
        from suyuan.capture.checking import recompute_commitments
        from suyuan.enrolment.checking import check_records
        from suyuan.tlog.note import Ed25519Verifier

        with Progress(console=console(error=True), transient=True, disable=as_json) as progress:
            tasks: dict[str, TaskID] = {}

            def follow(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = progress.add_task(stage, total=total)
                progress.update(tasks[stage], completed=done, total=total)

            return await log.fsck(
                services.pool,
                Ed25519Verifier(services.signer.vkey),
                recompute=None if quick else recompute_commitments,
                beside=() if quick else (check_records,),
                progress=follow,
            )

    report = run(data_dir, work)
    if as_json:
        show(report, True, str)
    else:
        _print_check(report)
    if not report.clean:
        raise typer.Exit(IntegrityError.exit_code)


def _print_check(report: Report) -> None:
    screen = console()
    screen.print(
        say(
            f"{report.events:,} events: {report.entries:,} in the log, {report.waiting:,} waiting;"
            f" {report.tiles:,} tiles, {report.checkpoints:,} checkpoints, published up to {report.published:,};"
            f" {report.erased:,} erased.",
            f"事件 {report.events:,} 条：已入日志 {report.entries:,} 条，等待 {report.waiting:,} 条；"
            f"瓦片 {report.tiles:,}，检查点 {report.checkpoints:,}，已发布 {report.published:,} 条；"
            f"已删除内容 {report.erased:,} 条。",
        ),
        markup=False,
    )
    if report.clean:
        screen.print(say("Clean.", "一致，无异常。"), style="bold green")
        return
    screen.print(
        say(f"{report.finding_count:,} findings:", f"发现 {report.finding_count:,} 处异常："),
        style="bold red",
    )
    for finding in report.findings:
        screen.print(f"  [{finding.code}] {finding.reference} {finding.reason}", markup=False)
