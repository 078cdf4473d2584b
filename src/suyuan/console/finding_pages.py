"""The list of findings and the page of one. Both compute what they show; nothing is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from litestar import get
from litestar.params import FromQuery

from suyuan.api.model import Call, Services, services_of
from suyuan.api.stock import STAKE_ROLES, WAREHOUSE, stock_seen
from suyuan.catalog import find_products
from suyuan.compliance.findings import Bounds, FindingList, Scope, list_findings
from suyuan.compliance.findings_model import ListedFinding
from suyuan.compliance.legs import load_profiles
from suyuan.compliance.stock_model import Stock
from suyuan.console.access import Session, console_of, signed_in
from suyuan.console.consignment_view import named
from suyuan.console.findings import KINDS, age, finding_row, how, sentence, sides, step, who
from suyuan.console.frame import NavEntry, Page, language_of, render, static_path, words
from suyuan.console.links import FINDING, FINDINGS, with_query
from suyuan.console.recognition import tidy
from suyuan.console.search import may_balance
from suyuan.console.words import Voice, voice_of
from suyuan.db.pool import Pool, sql
from suyuan.errors import NotFoundError
from suyuan.parties import find_parties

NAV = (NavEntry("findings", FINDINGS, "异常", "Findings", "warn"),)
PAGE = 40
_AGES = (7, 30, 90)


async def find_all(services: Services, session: Session, *, gtin: str = "", lot: str = "") -> FindingList:
    """The findings that the session's party may see."""
    scope = Scope(
        session.viewer,
        session.party.party_id,
        lambda one: may_balance(session, one),
        lambda stock: _stock_of(services.pool, session, stock),
    )
    profiles = load_profiles(services.settings.data_dir / "legs")
    return await list_findings(
        services.pool, services.reader, profiles, datetime.now(UTC), scope, gtin=gtin, lot=lot
    )


async def _stock_of(pool: Pool, session: Session, found: Stock) -> Stock:
    """What of the stock the party of the session sees, as the door for machines shows it."""
    if session.viewer.whole:
        return found
    party_id = session.party.party_id

    def holds(roles: tuple[str, ...], gtin: str) -> bool:
        return any(grant.role in roles and grant.covers(gtin) for grant in session.grants)

    async def has_stake(gtin: str) -> bool:
        product = (await find_products(pool, [gtin])).get(gtin)
        return holds(STAKE_ROLES, gtin) or (product is not None and product.owner_party == party_id)

    return await stock_seen(
        pool, party_id, found, has_stake=has_stake, keeps=lambda gtin: holds((WAREHOUSE,), gtin)
    )


async def _names(request: Call, findings: list[ListedFinding], voice: Voice) -> dict[str, str]:
    known = await find_parties(
        services_of(request).pool, {party for one in findings for party in one.parties}
    )
    return {key: voice.public.name(party.name_en, party.name_zh) for key, party in known.items()}


@get(FINDINGS)
async def show_findings(
    request: Call,
    kind: FromQuery[str] = "",
    party: FromQuery[str] = "",
    lot: FromQuery[str] = "",
    days: FromQuery[int] = 0,
    start: FromQuery[int] = 0,
) -> Page:
    """All findings, narrowed by kind, party, lot and age."""
    session = await signed_in(request)
    voice = voice_of(language_of(request, session))
    lot = tidy(lot)[:20]
    gtins = await _gtins_of(request, lot) if lot else [""]
    services = services_of(request)
    lists = [await find_all(services, session, gtin=gtin, lot=lot if gtin else "") for gtin in gtins]
    if not lot:
        console_of(request).open_findings.note(session.party.party_id, len(lists[0].findings))
    now = datetime.now(UTC)
    found = [
        one
        for listed in lists
        for one in listed.findings
        if (not kind or one.kind == kind)
        and (not party or party in one.parties)
        and (not lot or one.lot == lot)
        and (days <= 0 or (one.since is not None and one.since <= now - timedelta(days=days)))
    ]
    everyone = [one for listed in lists for one in listed.findings]
    names = await _names(request, everyone, voice)
    start = max(0, min(start, len(found) - 1)) // PAGE * PAGE if found else 0
    query = {"kind": kind, "party": party, "lot": lot, "days": days or ""}
    counts = {key: sum(one.kind == key for one in everyone) for key in KINDS}
    return render(
        request,
        "findings.html",
        session,
        title=words("异常", "Findings"),
        nav="findings",
        content_css=static_path("content.css"),
        rows=[finding_row(one, names, now, voice) for one in found[start : start + PAGE]],
        total=len(found),
        kinds=[(key, voice.pair(pair), counts[key]) for key, pair in KINDS.items()],
        parties=sorted(names.items(), key=lambda entry: entry[1]),
        kind=kind,
        party=party,
        lot=lot,
        days=days,
        ages=_AGES,
        looked=(sum(x.lots for x in lists), sum(x.items for x in lists)),
        stock_whole=all(x.stock_whole for x in lists),
        bounds=Bounds(),
        earlier=with_query(FINDINGS, **query, start=max(start - PAGE, 0) or "") if start else "",
        later=with_query(FINDINGS, **query, start=start + PAGE) if start + PAGE < len(found) else "",
    )


async def _gtins_of(request: Call, lot: str) -> list[str]:
    pool = services_of(request).pool
    gtins = [row["gtin"] for row in await pool.fetch(sql(__package__, "gtins"), 1000)]
    rows = await pool.fetch(sql(__package__, "lots_of_number"), gtins, lot)
    return [row["gtin"] for row in rows]


@get(FINDING)
async def show_finding(
    request: Call,
    finding: FromQuery[str] = "",
    gtin: FromQuery[str] = "",
    lot: FromQuery[str] = "",
) -> Page:
    """One finding, computed again: it may have gone meanwhile, and the page says so."""
    session = await signed_in(request)
    voice = voice_of(language_of(request, session))
    listed = await find_all(services_of(request), session, gtin=gtin, lot=lot)
    one = next((each for each in listed.findings if each.finding_id == finding), None)
    if one is None:
        raise NotFoundError(
            "console.finding.gone",
            "There is no such finding any more: what was missing may have come in.",
            remedy="Look at the list of findings.",
        )
    names = await _names(request, [one], voice)
    now = datetime.now(UTC)
    return render(
        request,
        "finding.html",
        session,
        title=words("异常", "Finding"),
        nav="findings",
        content_css=static_path("content.css"),
        kind=voice.pair(KINDS[one.kind]),
        finding=one,
        sentence=sentence(one, names, voice),
        who=who(one, names, voice),
        how=how(one, voice),
        step=step(one, voice),
        age=age(one.since, now, voice),
        sides=sides(one, names, voice),
        things=[named(uri, voice) for uri in one.things],
    )


ROUTES = (show_findings, show_finding)
