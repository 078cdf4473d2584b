"""``trace``, ``coverage``, ``balance`` and ``bundle``: what is known of a thing, read on the spot."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from suyuan.cli.context import AsJson, DataDir, console, run, say, show
from suyuan.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.compliance.model import Coverage, Finding
    from suyuan.trace import Viewer
    from suyuan.trace.model import Fact, Trace

Uri = Annotated[
    str,
    typer.Argument(
        metavar="URI",
        help="The thing: a Digital Link on any host, an EPC URN, a document's URN, another system's number,"
        " or (01)...(21)... in brackets.",
    ),
]
Audience = Annotated[
    str,
    typer.Option(
        "--audience",
        "-a",
        help="For whom: an audience of the policy, such as operator, public, member or regulator.",
        show_default=False,
    ),
]
ForParty = Annotated[
    str,
    typer.Option(
        "--party", metavar="ID", help="For this member, as what the thing lets it look.", show_default=False
    ),
]
_RAW = "urn:suyuan:raw:"
_BRACKETS = re.compile(r"\(01\)(\d{14})\((21|10)\)(\S+)")


def thing_of(services: Services, text: str) -> str:
    """The canonical URI of what a person typed. A person document may be named in the clear: no URL carries it.
    Another system's code may stand alone where its form says whose it is.

    Raises ``InputError`` (``gs1.*``, ``trace.uri.*``).
    """
    from suyuan.api.requests import read_thing
    from suyuan.epcis import read_person_document
    from suyuan.issuing.foreign_codes import guess_things

    if text.startswith(_RAW):
        document = read_person_document(text)
        assert document is not None
        return services.vault.pseudonym(document.kind, document.issuer, document.number)
    if foreign := guess_things(text.strip()):
        return foreign[0]
    brackets = _BRACKETS.fullmatch(text.strip())
    if brackets is not None:
        text = f"https://id.gs1.org/01/{brackets[1]}/{brackets[2]}/{quote(brackets[3], safe='')}"
    return read_thing(text, path="URI")


async def viewer_for(services: Services, audience: str, party: str) -> Viewer:
    """The viewer that the options name. Raises ``InputError`` (``cli.viewer.both``) and ``NotFoundError``."""
    from suyuan.trace import Viewer

    if party and audience:
        raise InputError(
            "cli.viewer.both",
            "What a member sees is seen as one audience: its own.",
            path="--party",
            remedy="Name an audience or a party.",
        )
    if party:
        return await services.reader.viewer_of(party)
    return Viewer(services.reader.policy.audience(audience).name)


def unknown_thing(text: str) -> NotFoundError:
    """The error for a thing of which nothing is known, or nothing that the viewer may know."""
    return NotFoundError(
        "trace.thing.unknown",
        f"Nothing is known of {text}.",
        path="URI",
        remedy="Check the code and the data directory; suyuan capture takes papers in. Of goods on whose chain a"
        " member is not, it sees nothing: suyuan policy explain URI --party ID says why.",
    )


def _local(moment: datetime, offset: str) -> datetime:
    sign = -1 if offset.startswith("-") else 1
    hours, _, minutes = offset.lstrip("+-").partition(":")
    return moment.astimezone(UTC) + sign * timedelta(hours=int(hours), minutes=int(minutes or 0))


def _fact_lines(fact: Fact) -> list[str]:
    from suyuan.trace.state import short_name

    when = _local(fact.event_time, fact.zone_offset)
    shown = (
        when.strftime("%Y-%m-%d      " if fact.day_precision else "%Y-%m-%d %H:%M") + f" {fact.zone_offset}"
    )
    what = " / ".join(word for word in (short_name(fact.biz_step), short_name(fact.disposition)) if word)
    place = fact.place
    where = ""
    if place is not None:
        names = (
            say(place.city_en or place.name_en, place.city_zh or place.name_zh), say(place.name_en, place.name_zh),
        )  # fmt: skip
        where = "  @ " + (" · ".join(dict.fromkeys(name for name in names if name)) or place.uri)
    lines = [f"{shown}  {what or fact.event_type}{where}"]
    who = say(fact.party.name_en, fact.party.name_zh) or fact.party.party_id
    said = say("said by", "由") + f" {who} ({fact.party.role})"
    lines.append(
        f"    {said}, {fact.assurance}" + (f", +{fact.corroborations}" if fact.corroborations else "")
    )
    papers = [f"{document.kind} {document.number}".strip() for document in fact.documents]
    if papers:
        lines.append(f"    {say('papers', '单证')}: {', '.join(papers)}")
    if fact.tie.kind != "direct":
        way = " > ".join(link.label or link.kind for link in fact.tie.links)
        lines.append(f"    {say('tied by', '关联')} {fact.tie.kind}{': ' + way if way else ''}")
    for correction in fact.corrections:
        lines.append(
            f"    {say('withdrawn', '已更正')}: {correction.reason or correction.declared_at.isoformat()}"
        )
    lines.append(f"    {say('seen because', '可见原因')}: {say(fact.sight.reason_en, fact.sight.reason_zh)}")
    if fact.log_index is None:
        lines.append(f"    {say('being logged', '正在写入日志')}")
    return lines


def _print_trace(found: Trace) -> None:
    screen = console()
    title = say(found.product.get("name_en", ""), found.product.get("name_zh", "")) or found.kind
    screen.print(f"{title}  {found.thing}", style="bold", markup=False)
    lot = f"  {say('lot', '批号')} {found.lot}" if found.lot else ""
    facts = say(f"{len(found.facts)} facts", f"{len(found.facts)} 条事实")
    screen.print(f"{say('state', '状态')}: {found.state}{lot}  {facts}", markup=False)
    if found.recall is not None:
        screen.print(
            f"{say('RECALLED', '已召回')} {found.recall.since:%Y-%m-%d} {found.recall.reason}",
            style="bold red", markup=False,
        )  # fmt: skip
    for fact in found.facts:
        first, *rest = _fact_lines(fact)
        screen.print(first, style="strike" if fact.withdrawn else "", markup=False)
        for line in rest:
            screen.print(line, style="dim", markup=False)
    for ambiguity in found.ambiguities:
        screen.print(say(ambiguity.reason_en, ambiguity.reason_zh), style="yellow", markup=False)
    if found.truncated:
        screen.print(say("There is more than is shown.", "内容过多，未全部显示。"), style="yellow")


def trace(
    uri: Uri,
    audience: Audience = "",
    party: ForParty = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The way of one thing, in order of time: where, when, what, who says so, and how it is tied to the thing.

    \b
      suyuan trace https://id.gs1.org/01/09506000134352/21/A1
      suyuan trace urn:suyuan:raw:order:PLATFORM:20251001001 --audience public
      suyuan trace https://id.gs1.org/01/09506000134352/21/A1 --party nanyue-broker
    """

    found = run(data_dir, lambda services: _read(services, uri, audience, party))
    if as_json:
        show(found, True, str)
    else:
        _print_trace(found)


async def _read(services: Services, uri: str, audience: str, party: str) -> Trace:
    viewer = await viewer_for(services, audience or ("" if party else "operator"), party)
    found = await services.reader.read(thing_of(services, uri), viewer)
    if found is None:
        raise unknown_thing(uri)
    return found


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        text = say(finding.reason_en, finding.reason_zh)
        console().print(f"{say('finding', '发现')}: {text}", style="yellow", markup=False)


_MARKS = {
    "present": ("✓", "green"),
    "late": ("✓", "yellow"),
    "not required": ("-", "dim"),
    "not yet due": ("·", "dim"),
}


def coverage(
    uri: Uri,
    audience: Audience = "",
    party: ForParty = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Which of the legs that the law asks for are there, which are missing, and who owes them.

    \b
      suyuan coverage https://id.gs1.org/01/09506000134352/21/A1
    """

    found = run(data_dir, lambda services: _covered(services, uri, audience, party))
    if as_json:
        show(found, True, str)
        return
    screen = console()
    legs = say(f"{found.present} of {found.required} legs", f"{found.required} 个环节中的 {found.present} 个")
    screen.print(f"{say('mode', '监管方式')} {found.mode}  {legs}", style="bold", markup=False)
    for leg in found.legs:
        mark, style = _MARKS.get(leg.state, ("✗", "red"))
        owed = f"  {say('owed by', '责任方')} {leg.owed_by}" if mark == "✗" else ""
        reason = say(leg.reason_en, leg.reason_zh)
        state = leg.assurance or leg.state
        screen.print(
            f"{mark} {say(leg.name_en, leg.name_zh)}  {state}{owed}  {reason}", style=style, markup=False
        )
    _print_findings(found.findings)


async def _covered(services: Services, uri: str, audience: str, party: str) -> Coverage:
    from suyuan.compliance.cities import load_cities
    from suyuan.compliance.coverage import coverage_seen
    from suyuan.compliance.legs import load_profiles
    from suyuan.trace import OPERATOR

    viewer = await viewer_for(services, audience or ("" if party else "operator"), party)
    readings = await services.reader.read_views(thing_of(services, uri), OPERATOR, viewer)
    if not readings or readings[1].trace.audience == "elsewhere":
        raise unknown_thing(uri)
    profiles = load_profiles(services.settings.data_dir / "legs")
    cities = load_cities(services.settings.data_dir / "cities")
    return coverage_seen(readings[0], readings[1], profiles, datetime.now(UTC), cities)


def balance(
    gtin: Annotated[str, typer.Option("--gtin", help="GTIN, 14 digits.")],
    lot: Annotated[str, typer.Option("--lot", help="Lot number.")],
    ledger_item: Annotated[str, typer.Option("--ledger-item", metavar="LEDGER:ITEM", help="账册项号.")] = "",
    facility: Annotated[str, typer.Option("--facility", metavar="URI", help="The warehouse.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Quantity balance of a lot (数量勾稽): every difference is explained, or a finding.

    \b
      suyuan balance --gtin 09506000134352 --lot L1 --ledger-item T5165W000123:17
    """

    from suyuan.compliance.balance import Subject, balance_of
    from suyuan.gs1.digital_link import canonical_or_same
    from suyuan.issuing.codes import check_batch

    check_batch(gtin, lot, 1)
    subject = Subject(
        gtin=gtin,
        lot=lot,
        ledger_item=ledger_item.removeprefix("urn:suyuan:ledger-item:"),
        facility=canonical_or_same(facility) if facility else "",
    )
    found = run(data_dir, lambda services: balance_of(services.pool, subject))
    if as_json:
        show(found, True, str)
        return
    screen = console()
    for english, chinese, value in (
        ("coded", "已赋码", found.coded), ("entered", "入区", found.entered), ("received", "实收", found.received),
        ("damaged", "残损", found.damaged), ("activated", "已激活", found.activated), ("exited", "出区", found.exited),
        ("returned", "退回", found.returned), ("unexplained", "未解释差异", found.unexplained),
    ):  # fmt: skip
        screen.print(f"{say(english, chinese):<12} {value or '-'}", markup=False)
    _print_findings(found.findings)


def bundle(
    uri: Uri,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    audience: Audience = "",
    party: ForParty = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof bundle of a thing: what its audience sees, checkable by anyone with suyuan verify.

    suyuan bundle https://id.gs1.org/01/09506000134352/21/A1 --out tin.bundle.json
    """

    data = run(data_dir, lambda services: _bundle(services, uri, audience, party))
    out.write_bytes(data)
    show(
        {"file": str(out), "bytes": len(data)},
        as_json,
        lambda: say(
            f"{out}: {len(data):,} bytes. Check it with: suyuan verify {out}",
            f"{out}：{len(data):,} 字节。验证：suyuan verify {out}",
        ),
    )


async def _bundle(services: Services, uri: str, audience: str, party: str) -> bytes:
    from suyuan.trace import make_bundle

    viewer = await viewer_for(services, audience or ("" if party else "public"), party)
    found = await make_bundle(
        services.reader,
        services.tree,
        thing_of(services, uri),
        viewer,
        log_key=services.signer.vkey,
    )
    if found is None:
        raise NotFoundError(
            "trace.bundle.none",
            "Nothing that could be proved is published of that thing.",
            path="URI",
            remedy="Run suyuan serve or suyuan worker, which publish the log.",
        )
    return found
