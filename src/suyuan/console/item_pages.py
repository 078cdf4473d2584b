"""The page of one thing: an item with its whole way; anything else by ``consignment_pages``. And its downloads.

What is shown is what ``services.reader`` gives the session's viewer. A person's document has no address: its page
opens under an opaque name that ends by itself. Numbers are revealed by POST, with a reason, and journalled first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from suyuan.api.model import Call, Services, services_of
from suyuan.api.requests import read_thing
from suyuan.capture.payload import list_counts, read_body
from suyuan.catalog import find_places
from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.balance import Subject, balance_of, find_ledger_items
from suyuan.compliance.cities import load_cities
from suyuan.compliance.consignment import consignment_findings
from suyuan.compliance.coverage import coverage_seen
from suyuan.compliance.legs import load_profiles
from suyuan.compliance.model import Coverage, Finding
from suyuan.console.access import Session, read_form, signed_in
from suyuan.console.frame import PAGE_HEADERS, Page, language_of, render, static_path, words
from suyuan.console.item_view import (
    PAGE,
    BalanceRow,
    FactRow,
    balance_row,
    fact_rows,
    head_of,
    holders,
    leg_rows,
    paper_rows,
    person_papers,
)
from suyuan.console.links import THING, changed
from suyuan.console.route_drawing import draw_route
from suyuan.console.search import may_balance
from suyuan.console.words import Voice, voice_of
from suyuan.db.pool import sql
from suyuan.errors import InputError, NotFoundError
from suyuan.log import find_checkpoint
from suyuan.tlog.proof_file import ProofFile, write_proof_file
from suyuan.trace import OPERATOR, make_bundle
from suyuan.trace.model import Trace
from suyuan.trace.read import Reading, split_item
from suyuan.vault import is_pseudonym

NAME_LIFE = timedelta(minutes=15)
MAX_BALANCES = 6
MAX_RAW = 24_000
_PRINTED = 400


@get(THING)
async def show_thing(
    request: Call,
    uri: FromQuery[str] = "",
    start: FromQuery[int] = 0,
    raw: FromQuery[int] = 0,
    full: FromQuery[int] = 0,
) -> Page:
    """The page of a thing by its canonical URI (any spelling of it)."""
    session = await signed_in(request)
    thing = read_thing(uri)
    if is_pseudonym(thing):
        raise unknown_thing()
    return await thing_page(request, session, thing, start=max(start, 0), raw=raw, full=bool(full))


@get("/console/sealed/{name:str}")
async def show_sealed(request: Call, name: FromPath[str], start: FromQuery[int] = 0) -> Page:
    """The page of a person's document, under a name that says nothing and ends by itself."""
    session = await signed_in(request)
    names, _ = services_of(request).vault.open_token(session.party.party_id, name, datetime.now(UTC))
    return await thing_page(request, session, names[0], start=max(start, 0))


def unknown_thing() -> NotFoundError:
    """The error for a thing of which nothing is known here that the viewer may see."""
    return NotFoundError(
        "trace.thing.unknown",
        "Nothing is known here of that thing, or nothing that your party may see.",
        path="uri",
        remedy="Check the code, and search for it.",
    )


async def thing_page(
    request: Call,
    session: Session,
    thing: str,
    *,
    start: int = 0,
    raw: int = 0,
    full: bool = False,
    revealed: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    refused: InputError | None = None,
) -> Page:
    """The page of a thing; ``revealed`` are numbers by pseudonym that this answer alone shows."""
    from suyuan.console.consignment_pages import consignment_page, product_page

    services = services_of(request)
    gtin, serial, lot = split_item(thing)
    if gtin and not serial and not lot:
        return await product_page(request, session, thing, gtin)
    readings = await services.reader.read_views(thing, OPERATOR, session.viewer)
    if not readings or not (readings[1].trace.facts or (serial and session.viewer.whole)):
        raise unknown_thing()
    whole, seen = readings
    if seen.trace.kind != "item":
        return await consignment_page(request, session, seen, start=start, raw=raw, full=full)
    voice = voice_of(language_of(request, session))
    trace = seen.trace
    limit = _PRINTED if full else PAGE
    start = min(start, max(len(trace.facts) - 1, 0))
    coverage = coverage_of_views(services, whole, seen)
    head = head_of(trace, voice)
    sealed = names_of(services, session, person_papers(trace, voice))
    return render(
        request,
        "item.html",
        session,
        title=words(_titled(trace, "zh-CN"), _titled(trace, "en")),
        nav="search",
        form=form,
        content_css=static_path("content.css"),
        head=head,
        trace=trace,
        voice=voice,
        rows=fact_rows(trace.facts, voice, start=start, limit=limit),
        start=start,
        total=len(trace.facts),
        earlier=changed(THING, {"uri": thing}, start=max(start - PAGE, 0) or "") if start else "",
        later=changed(THING, {"uri": thing}, start=start + PAGE) if start + limit < len(trace.facts) else "",
        raw=await raw_event(services, seen, raw) if raw else None,
        raw_href=lambda row: raw_href(thing, row, start),
        fact_href=fact_links(THING, {"uri": thing}, start, limit),
        legs=leg_rows(coverage, trace, voice),
        coverage=coverage,
        findings=[
            voice.public.name(f.reason_en, f.reason_zh)
            for f in (*coverage.findings, *await _more_findings(services, session, whole.trace))
        ],
        papers=paper_rows(trace.facts, voice),
        holders=holders(trace.facts, voice),
        sealed=sealed,
        sealed_names={uri: href for uri, _, href in sealed},
        revealed=dict(revealed or {}),
        refused=refused,
        route=draw_route(trace, voice),
        balances=await balance_rows(services, session, trace.gtin, trace.lot, voice),
        ambiguities=[(voice.public.name(a.reason_en, a.reason_zh), a.candidates) for a in trace.ambiguities],
        product=product_rows(trace, voice),
        full=full,
        full_href=changed(THING, {"uri": thing}, full=1),
        bundle_href=changed("/console/bundle", {"uri": thing}),
        public_href="/item/" + thing.removeprefix("https://id.gs1.org/"),
    )


def fact_links(path: str, query: Mapping[str, str], start: int, shown: int) -> Callable[[int], str]:
    """Where the record of a number is: on this page, which shows ``shown`` from ``start`` on, or on another one."""

    def href(position: int) -> str:
        here = start < position <= start + shown
        page = "" if here else changed(path, query, start=(position - 1) // PAGE * PAGE or "")
        return f"{page}#e{position}"

    return href


def _titled(trace: Trace, code: str) -> str:
    name = voice_of(code).public.of(trace.product, "name") or voice_of(code).kind(trace.kind)
    return f"{name} …{trace.serial[-6:]}" if trace.serial else name


def coverage_of_views(services: Services, whole: Reading, seen: Reading) -> Coverage:
    """The coverage of the whole trace, its legs pointing at what the viewer sees."""
    profiles = load_profiles(services.settings.data_dir / "legs")
    cities = load_cities(services.settings.data_dir / "cities")
    return coverage_seen(whole, seen, profiles, datetime.now(UTC), cities)


async def _more_findings(services: Services, session: Session, whole: Trace) -> Sequence[Finding]:
    if not session.viewer.whole:
        return ()
    return (*await consignment_findings(services.pool, whole), *reuse_of(whole))


def names_of(
    services: Services, session: Session, papers: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Person documents as (pseudonym, kind, address of its page for a quarter of an hour)."""
    until = datetime.now(UTC).replace(microsecond=0) + NAME_LIFE
    return [
        (
            uri,
            kind,
            f"/console/sealed/{services.vault.make_token(session.party.party_id, [uri], until)}",
        )
        for uri, kind in papers
        if is_pseudonym(uri)
    ]


async def balance_rows(
    services: Services, session: Session, gtin: str, lot: str, voice: Voice
) -> list[BalanceRow]:
    """The balances of a lot, one for each ledger item and facility, for who has a stake in them."""
    if not gtin or not lot or not may_balance(session, gtin):
        return []
    pool = services.pool
    subjects = (await find_ledger_items(pool, gtin, lot))[:MAX_BALANCES] or [("", "")]
    places = await find_places(pool, {facility for _, facility in subjects if facility})
    rows = []
    for ledger_item, facility in subjects:
        balance = await balance_of(
            pool, Subject(gtin=gtin, lot=lot, ledger_item=ledger_item, facility=facility)
        )
        place = places.get(facility)
        name = voice.public.name(place.name_en, place.name_zh) if place is not None else facility
        rows.append(balance_row(balance, name, voice))
    return rows


def product_rows(trace: Trace, voice: Voice) -> list[tuple[str, str]]:
    """What the catalogue and the facts say of the product."""
    from suyuan.web.summary import product_view

    rows = product_view(trace, voice.public)["rows"]
    return [(str(label), str(value)) for label, value in rows]  # type: ignore[attr-defined]


# -- one event as it is stored ----------------------------------------------------------------------------------


def raw_href(thing: str, row: FactRow, start: int = 0) -> str:
    """The page again with one event opened as it is stored; empty where the viewer does not see it whole."""
    if not row.event_key:
        return ""
    return f"{changed(THING, {'uri': thing}, start=start or '', raw=row.event_key)}#e{row.position}"


async def raw_event(services: Services, seen: Reading, event_key: int) -> tuple[int, str] | None:
    """An event of the trace as JSON; long lists are counted, not shown. None for what the viewer does not see."""
    if all(fact.event_key != event_key for fact in seen.trace.facts):
        return None
    row = await services.pool.fetchrow(sql(__package__, "event_body"), event_key)
    if row is None or row["body"] is None:
        return None
    body: dict[str, Any] = read_body(row["body"])
    counts = list_counts(body)
    body.pop("#lists", None)
    shown = {
        "eventID": row["event_id"],
        **body,
        **{f"{field} (elements)": count for field, count in counts.items()},
        "statement": msgspec.json.decode(row["statement"]),
    }
    return event_key, json.dumps(shown, ensure_ascii=False, indent=1)[:MAX_RAW]


# -- revealing --------------------------------------------------------------------------------------------------


@post("/console/thing/reveal", status_code=200)
async def reveal(request: Call) -> Page:
    """Show the numbers behind pseudonyms of a thing's papers, once, for a reason that is journalled first."""
    session = await signed_in(request, "worker")
    services = services_of(request)
    form = await read_form(request)
    thing, document = read_thing(form.get("uri", "")), form.get("document", "")
    trace = await services.reader.read(thing, session.viewer)
    voice = voice_of(language_of(request, session))
    known = [] if trace is None else [uri for uri, _ in person_papers(trace, voice)]
    wanted = known if document == "all" else [uri for uri in known if uri == document]
    if not wanted or not session.viewer.whole:
        raise NotFoundError("vault.number.unknown", "No number is kept that could be revealed here.")
    found: dict[str, str] = {}
    try:
        for uri in wanted:
            try:
                said = await services.vault.reveal_number(
                    services.pool,
                    uri,
                    party_id=session.party.party_id,
                    reason=form.get("reason", ""),
                    by=session.user.user_id,
                )
            except NotFoundError:
                found[uri] = voice.say("已删除", "erased")
                continue
            found[uri] = said.number
    except InputError as error:
        return await thing_page(request, session, thing, form=form, refused=error)
    return await thing_page(request, session, thing, revealed=found)


# -- downloads --------------------------------------------------------------------------------------------------


@get("/console/bundle")
async def download_bundle(request: Call, uri: FromQuery[str] = "") -> Response[bytes]:
    """The proof bundle of what the viewer sees of a thing."""
    session = await signed_in(request)
    services = services_of(request)
    thing = read_thing(uri)
    bundle = await make_bundle(
        services.reader, services.tree, thing, session.viewer, log_key=services.signer.vkey
    )
    if bundle is None:
        raise NotFoundError(
            "trace.bundle.none",
            "Nothing that could be proved is published of that thing.",
            remedy="A fact is published about a second after it was captured; try again.",
        )
    return _file(bundle, "application/json", "bundle.json")


@get("/console/proof/{index:int}")
async def download_proof(request: Call, index: FromPath[int]) -> Response[bytes]:
    """The proof that an entry is in the log, as a file of its own (C2SP tlog-proof)."""
    await signed_in(request)
    services = services_of(request)
    stored = await find_checkpoint(services.pool)
    if stored is None or not 0 <= index < stored.tree_size:
        raise NotFoundError("log.size.absent", "The log has no such entry yet.")
    proof = await services.tree.inclusion_proof(index, stored.tree_size)
    data = write_proof_file(ProofFile(index, tuple(proof), stored.note))
    return _file(data, "text/plain; charset=utf-8", f"entry-{index}.tlog-proof")


def _file(data: bytes, media_type: str, name: str) -> Response[bytes]:
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media_type, headers=headers)


ROUTES = (show_thing, show_sealed, reveal, download_bundle, download_proof)
