"""The pages of a package, a container, a lot, a paper, and of a product."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.params import FromQuery

from suyuan.api.model import Call, services_of
from suyuan.api.requests import read_thing
from suyuan.catalog import find_products
from suyuan.compliance.consignment import Consignment, consignment_of
from suyuan.console.access import Session, signed_in
from suyuan.console.consignment_view import (
    ABOUT,
    Figure,
    consignment_figures,
    draw_around,
    lots_of,
    named,
    span_figures,
    stated_quantities,
)
from suyuan.console.contents import PORTION, Contents, contents_of
from suyuan.console.frame import Page, language_of, render, static_path, words
from suyuan.console.item_pages import (
    balance_rows,
    fact_links,
    names_of,
    product_rows,
    raw_event,
    raw_href,
    unknown_thing,
)
from suyuan.console.item_view import (
    PAGE,
    element_string,
    fact_rows,
    head_of,
    paper_rows,
    person_papers,
    readable,
)
from suyuan.console.links import THING, changed, thing_href, with_query
from suyuan.console.recognition import lot_uri
from suyuan.console.search import may_balance, may_issue
from suyuan.console.words import KINDS, Voice, voice_of
from suyuan.db.pool import sql
from suyuan.trace import PUBLIC
from suyuan.trace.model import Trace
from suyuan.trace.read import Reading

CONTENTS = "/console/contents"
LOTS = 50
_HOLDS = frozenset({"sscc", "container", "parcel", "lot", "awb"})
_PRINTED = 400


async def consignment_page(
    request: Call, session: Session, seen: Reading, *, start: int = 0, raw: int = 0, full: bool = False
) -> Page:
    """The page of anything but an item."""
    services = services_of(request)
    voice = voice_of(language_of(request, session))
    trace = seen.trace
    limit = _PRINTED if full else PAGE
    start = min(start, max(len(trace.facts) - 1, 0))
    contents = await _contents(request, session, seen)
    consignment = await _consignment(request, session, trace.thing, trace.kind)
    figures = span_figures(trace, voice)
    if contents is not None and contents.total and consignment is None:
        figures.insert(0, Figure(_held(trace.kind, voice), f"{contents.total:,}"))
    balances = []
    for gtin, lot in ([(trace.gtin, trace.lot)] if trace.lot else lots_of(trace.facts))[:3]:
        balances += await balance_rows(services, session, gtin, lot, voice)
    # A person's document is named by nothing that stands in an address.
    sealed = not thing_href(trace.thing)
    query = {} if sealed else {"uri": trace.thing}
    path = request.url.path if sealed else THING
    known = names_of(services, session, person_papers(trace, voice))
    kind = KINDS.get(trace.kind, (voice.kind(trace.kind),) * 2)
    label = "" if sealed else readable(trace.thing)
    return render(
        request,
        "consignment.html",
        session,
        title=words(f"{kind[0]} {label}".strip(), f"{kind[1]} {label}".strip()),
        nav="search",
        content_css=static_path("content.css"),
        voice=voice,
        trace=trace,
        head=msgspec.structs.replace(
            head_of(trace, voice),
            title=voice.kind(trace.kind),
            code=_code(trace, voice, sealed=sealed),
        ),
        about=voice.pair(ABOUT[trace.kind]) if trace.kind in ABOUT else "",
        goods_name=voice.public.of(trace.product, "name"),
        figures=figures,
        consignment=consignment_figures(consignment, voice) if consignment is not None else [],
        finding=(
            voice.public.name(consignment.finding.reason_en, consignment.finding.reason_zh)
            if consignment is not None and consignment.finding is not None
            else ""
        ),
        contents=[
            one
            for one in (named(uri, voice) for uri in (contents.things[:12] if contents else ()))
            if one.href
        ],
        contents_total=contents.total if contents is not None else 0,
        contents_href=with_query(CONTENTS, uri=trace.thing) if not sealed else "",
        stated=stated_quantities(trace, voice),
        balances=balances,
        drawing=draw_around(trace, voice),
        papers=paper_rows(trace.facts, voice),
        sealed=known,
        sealed_names={uri: href for uri, _, href in known},
        product=product_rows(trace, voice) if trace.gtin else [],
        rows=fact_rows(trace.facts, voice, start=start, limit=limit),
        start=start,
        total=len(trace.facts),
        earlier=changed(path, query, start=max(start - PAGE, 0) or "") if start else "",
        later=changed(path, query, start=start + PAGE) if start + limit < len(trace.facts) else "",
        raw=await raw_event(services, seen, raw) if raw else None,
        raw_href=lambda row: "" if sealed else raw_href(trace.thing, row, start),
        fact_href=fact_links(path, query, start, limit),
        full=full,
        full_href="" if sealed else changed(THING, {"uri": trace.thing}, full=1),
        bundle_href="" if sealed else with_query("/console/bundle", uri=trace.thing),
    )


def _code(trace: Trace, voice: Voice, *, sealed: bool) -> str:
    if sealed:
        return voice.say("编号已加密", "number sealed")
    return trace.lot if trace.kind == "lot" else element_string(trace)


def _held(kind: str, voice: Voice) -> str:
    return {
        "lot": voice.say("批次内单品", "items of the lot"),
        "awb": voice.say("包裹", "parcels"),
    }.get(kind, voice.say("装入件数", "things put in"))


async def _contents(request: Call, session: Session, seen: Reading) -> Contents | None:
    """What the thing holds: counted for who sees the whole, else what the viewer's own facts name."""
    trace = seen.trace
    if trace.kind not in _HOLDS:
        return None
    if session.viewer.whole or (trace.kind == "lot" and may_issue(session, trace.gtin)):
        return await contents_of(services_of(request).pool, trace.thing)
    things = tuple(
        dict.fromkeys(uri for fact in trace.facts for uri in fact.things if uri and uri != trace.thing)
    )
    return Contents(total=len(things), start=0, things=things)


async def _consignment(request: Call, session: Session, thing: str, kind: str) -> Consignment | None:
    if kind != "awb" or not session.viewer.whole:
        return None
    return await consignment_of(services_of(request).pool, thing)


@get(CONTENTS)
async def show_contents(request: Call, uri: FromQuery[str] = "", start: FromQuery[int] = 0) -> Page:
    """What a package, container or lot holds, a portion at a time."""
    session = await signed_in(request)
    services = services_of(request)
    thing = read_thing(uri)
    seen = await services.reader.read_views(thing, session.viewer)
    allowed = bool(seen) and (
        session.viewer.whole or (seen[0].trace.kind == "lot" and may_issue(session, seen[0].trace.gtin))
    )
    if not seen or not allowed or not thing_href(thing):
        raise unknown_thing()
    voice = voice_of(language_of(request, session))
    contents = await contents_of(services.pool, thing, start=start)
    shown = contents.start + len(contents.things)
    return render(
        request,
        "contents.html",
        session,
        title=words("内装明细", "What it holds"),
        nav="search",
        content_css=static_path("content.css"),
        voice=voice,
        what=named(thing, voice),
        contents=contents,
        things=[named(one, voice) for one in contents.things],
        first=contents.start + 1 if contents.total else 0,
        last=shown,
        earlier=(
            changed(CONTENTS, {"uri": thing}, start=max(contents.start - PORTION, 0) or "")
            if contents.start
            else ""
        ),
        later=changed(CONTENTS, {"uri": thing}, start=shown) if shown < contents.total else "",
    )


async def product_page(request: Call, session: Session, thing: str, gtin: str) -> Page:
    """What the catalogue knows of a product, and its lots; never the way of any goods."""
    services = services_of(request)
    voice = voice_of(language_of(request, session))
    found = await find_products(services.pool, [gtin])
    stake = may_issue(session, gtin) or may_balance(session, gtin)
    lots = await services.pool.fetch(sql(__package__, "lots_of_gtin"), gtin, LOTS, 0) if stake else []
    if gtin not in found and not lots and not await services.reader.knows(thing):
        raise unknown_thing()
    trace = await services.reader.product(thing, gtin, PUBLIC)
    name = trace.product
    return render(
        request,
        "product.html",
        session,
        title=words(name.get("name_zh") or gtin, name.get("name_en") or gtin),
        nav="search",
        content_css=static_path("content.css"),
        voice=voice,
        head=head_of(trace, voice),
        product=product_rows(trace, voice),
        stake=stake,
        lots=[
            (row["lot"], row["codes"], row["issued_at"], thing_href(lot_uri(gtin, row["lot"])))
            for row in lots
        ],
        capped=len(lots) >= LOTS,
        cap=LOTS,
    )


ROUTES = (show_contents,)
