"""``suyuan capture``, ``trace``, ``coverage``, ``balance``, ``bundle``: papers in, an item's way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from suyuan.cli.context import AsJson, DataDir, load_settings, run, show, show_error
from suyuan.errors import InputError, NotFoundError, SuyuanError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.compliance.model import Balance, Coverage
    from suyuan.trace.model import Fact, Trace

Uri = Annotated[
    str,
    typer.Argument(
        help="URI of the thing: a Digital Link on any host, an EPC URN, (01)...(21)... in brackets."
    ),
]
_BRACKETS = re.compile(r"\(01\)(\d{14})\((21|10)\)(\S+)")


def capture(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files or folders.")],
    party: Annotated[
        str, typer.Option(help="The party that delivers, when writing to the deployment itself.")
    ] = "",
    url: Annotated[str, typer.Option(help="Deliver to this server over HTTP instead.")] = "",
    token: Annotated[str, typer.Option(envvar="SUYUAN_TEST_TOKEN", hidden=True)] = "",
    token_file: Annotated[Path | None, typer.Option(help="File that holds the token for --url.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take papers in, recognised by content: EPCIS, customs messages, sheets, scans.

    A folder is read in order of names. Each file stands for itself: one that is refused leaves the others alone,
    and the exit code says that there was one. Example: suyuan capture papers/ --party nanyue
    """
    files = [file for path in paths for file in _files(path)]
    if url:
        secret = token or (token_file.read_text("utf-8").strip() if token_file else "")
        results = _deliver(url, secret, files, as_json)
    elif party:
        results = run(data_dir, lambda services: _store(services, party, files, as_json))
    else:
        raise InputError(
            "cli.capture.who",
            "Who delivers?",
            remedy="Give --party ID, or --url and --token-file for a server.",
        )
    if as_json:
        show(results, True, str)
    refused = sum("error" in result for result in results)
    if not as_json:
        typer.echo(f"{len(results) - refused} taken, {refused} refused")
    if refused:
        raise typer.Exit(2)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (
            file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")
        )
    else:
        yield path


async def _store(services: Services, party: str, files: list[Path], quiet: bool) -> list[dict[str, Any]]:
    deliverer = await services.deliverer_of(party)
    results = []
    for file in files:
        try:
            stored = await services.capture.submit(file.read_bytes(), deliverer, name=file.name)
            result: dict[str, Any] = {
                "file": str(file),
                "capture_id": stored.capture_id,
                "kind": stored.kind,
                "repeated": stored.repeated,
                "events": [event.event_id for event in stored.events],
                "warnings": [list(warning) for warning in stored.warnings],
            }
        except SuyuanError as error:
            result = _refusal(file, error, quiet)
        results.append(_said(result, quiet))
    return results


def _deliver(url: str, token: str, files: list[Path], quiet: bool) -> list[dict[str, Any]]:
    import httpx

    results = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=300) as client:
        for file in files:
            try:
                answer = client.post(
                    "/api/v1/evidence", params={"name": file.name}, content=file.read_bytes()
                )
                body = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                failed = SuyuanError(
                    "cli.server", f"The server did not answer ({type(error).__name__}).", path=url
                )
                results.append(_refusal(file, failed, quiet))
                continue
            if answer.is_error:
                refused = SuyuanError(
                    body.get("code", "cli.server"),
                    body.get("detail", answer.reason_phrase),
                    path=body.get("path", ""),
                    remedy=body.get("remedy", ""),
                )
                results.append(_refusal(file, refused, quiet))
            else:
                events = [event["event_id"] for event in body.get("events", ())]
                results.append(_said({**body, "file": str(file), "events": events}, quiet))
    return results


def _refusal(file: Path, error: SuyuanError, quiet: bool) -> dict[str, Any]:
    if not quiet:
        typer.echo(f"{file}: refused", err=True)
        show_error(error)
    return {
        "file": str(file),
        "error": {"code": error.code, "path": error.path, "reason": error.reason, "remedy": error.remedy},
    }


def _said(result: dict[str, Any], quiet: bool) -> dict[str, Any]:
    if not quiet and "error" not in result:
        again = "  (had it already)" if result.get("repeated") else ""
        typer.echo(f"{result['file']}: {result['kind']}, {len(result['events'])} events{again}")
    return result


def canonical(text: str) -> str:
    """The canonical URI of what a person typed. Raises ``InputError`` (``cli.uri``)."""
    from suyuan.gs1.digital_link import canonical_or_same

    brackets = _BRACKETS.fullmatch(text.strip())
    uri = f"https://id.gs1.org/01/{brackets[1]}/{brackets[2]}/{brackets[3]}" if brackets else text.strip()
    if ":" not in uri:
        raise InputError(
            "cli.uri", f"{text[:60]!r} is no URI.", remedy="Give the URI that the label carries."
        )
    return canonical_or_same(uri)


def _unknown(uri: str) -> NotFoundError:
    return NotFoundError("trace.thing.unknown", "Nothing is known here of that thing.", path=uri)


def trace(
    uri: Uri,
    audience: Annotated[str, typer.Option(help="For whom: public or operator.")] = "operator",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The way of a thing, oldest first, as an audience sees it.

    Example: suyuan trace "https://id.gs1.org/01/08710000001236/21/..." --audience public
    """
    from suyuan.trace import Viewer

    thing = canonical(uri)
    found = run(data_dir, lambda services: services.reader.read(thing, Viewer(audience)))
    if found is None:
        raise _unknown(thing)
    show(found, as_json, lambda: _trace_text(found))


def _trace_text(found: Trace) -> str:
    name = found.product.get("name_en", "")
    lines = [f"{found.thing}  {name}  lot {found.lot or '-'}  {found.state}"]
    lines += [_fact_line(fact) for fact in found.facts]
    lines += [f"! {ambiguity.reason_en} {', '.join(ambiguity.candidates)}" for ambiguity in found.ambiguities]
    if found.recall is not None:
        lines.append(f"RECALLED {found.recall.number} by {found.recall.party.name_en}: {found.recall.reason}")
    return "\n".join(lines)


def _fact_line(fact: Fact) -> str:
    from suyuan.trace.state import short_name

    hours, minutes = int(fact.zone_offset[:3]), int(fact.zone_offset[4:6])
    local = fact.event_time.astimezone(UTC) + timedelta(
        hours=hours, minutes=minutes if hours >= 0 else -minutes
    )
    when = local.strftime("%Y-%m-%d" if fact.day_precision else "%Y-%m-%d %H:%M")
    what = " ".join(filter(None, (short_name(fact.biz_step), short_name(fact.disposition))))
    place = fact.place.name_en or fact.place.unlocode or fact.place.uri if fact.place else ""
    papers = ", ".join(
        f"{d.kind} {d.number}" for d in fact.documents if not d.uri.startswith("urn:suyuan:raw")
    )
    way = " > ".join(filter(None, (f"{link.kind} {link.label}".strip() for link in fact.tie.links)))
    gone = "  WITHDRAWN" if fact.withdrawn else ""
    return (
        f"{when:<16} {fact.zone_offset}  {what:<34} {place:<28} {fact.party.name_en} ({fact.assurance}){gone}"
        + (f"\n{'':26}via {way}" if way else "")
        + (f"\n{'':26}{papers[:150]}" if papers else "")
    )


def coverage(
    uri: Uri,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Which legs of clause 486 are there, which are missing, and who owes them."""
    from suyuan.compliance.coverage import coverage_of
    from suyuan.compliance.legs import load_profiles
    from suyuan.trace import OPERATOR

    thing = canonical(uri)
    found = run(data_dir, lambda services: services.reader.read(thing, OPERATOR))
    if found is None:
        raise _unknown(thing)
    folder = load_settings(data_dir).data_dir / "legs"
    result = coverage_of(found, load_profiles(folder), datetime.now(UTC))
    show(result, as_json, lambda: _coverage_text(result))


def _coverage_text(result: Coverage) -> str:
    lines = [f"mode {result.mode}: {result.present} of {result.required} legs"]
    for leg in result.legs:
        line = f"{leg.state:<14} {leg.name_en} ({leg.name_zh})"
        if leg.state in ("missing", "late", "contradictory", "not yet due"):
            due = f", due {leg.due.date().isoformat()}" if leg.due else ""
            line += f"  owed by the {leg.owed_by}{due}. {leg.reason_en}"
        lines.append(line)
    return "\n".join([*lines, *(f"finding: {finding.reason_en}" for finding in result.findings)])


def balance(
    gtin: Annotated[str, typer.Option(help="GTIN, 14 digits.")],
    lot: Annotated[str, typer.Option(help="Lot number.")],
    ledger_item: Annotated[str, typer.Option(help="LEDGER:ITEM, e.g. T5165W000123:17.")] = "",
    facility: Annotated[str, typer.Option(help="URI of the warehouse.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The quantity balance of a lot, with what does not add up."""
    from suyuan.compliance.balance import Subject, balance_of

    subject = Subject(gtin=gtin, lot=lot, ledger_item=ledger_item, facility=facility)
    result = run(data_dir, lambda services: balance_of(services.pool, subject))
    show(result, as_json, lambda: _balance_text(result))


def _balance_text(result: Balance) -> str:
    names = ("coded", "entered", "received", "damaged", "activated", "exited", "returned", "unexplained")
    figures = "  ".join(f"{name} {getattr(result, name) or '?'}" for name in names)
    return "\n".join([figures, *(f"finding: {finding.reason_en}" for finding in result.findings)])


def bundle(
    uri: Uri,
    out: Annotated[Path, typer.Option(help="File to write.")],
    audience: Annotated[Literal["public", "operator"], typer.Option(help="For whom.")] = "public",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof bundle of a thing's way, for suyuan verify."""
    from suyuan.trace import Viewer, make_bundle

    thing = canonical(uri)

    async def work(services: Services) -> bytes | None:
        return await make_bundle(
            services.reader, services.tree, thing, Viewer(audience), log_key=services.signer.vkey
        )

    data = run(data_dir, work)
    if data is None:
        raise NotFoundError(
            "trace.bundle.none",
            "Nothing that could be proved is published of that thing.",
            path=thing,
            remedy="Run suyuan serve or suyuan worker, which publish the log.",
        )
    out.write_bytes(data)
    show({"file": str(out), "bytes": len(data)}, as_json, lambda: f"{out}: {len(data)} bytes")
