"""Search: one box for everything. What was typed comes in a form's body and never stands in an address.

A number that leads to a person is looked up apart, with a reason that is journalled, and what was found opens under an
opaque name that ends by itself.
"""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath

from suyuan.api.model import Call, services_of
from suyuan.console.access import Session, read_form, signed_in
from suyuan.console.consignment_view import Named, named
from suyuan.console.frame import Page, language_of, redirect, render, static_path, words
from suyuan.console.item_pages import names_of
from suyuan.console.search import Found, search
from suyuan.console.words import Voice, voice_of
from suyuan.errors import InputError
from suyuan.trace.lookup import KINDS, Asker, LookUp, find_person_documents, open_lookup
from suyuan.vault import is_pseudonym

_SHOWN_THINGS = 40
# The kinds that people look for, the likeliest first.
_ORDER = ("order", "waybill", "parcel-list", "payment", "tax-bill", "parcel-list-draft")


@get("/console/search")
async def start_search(request: Call) -> Page:
    """The empty page of the search."""
    session = await signed_in(request)
    return _page(request, session, "", None)


@post("/console/search", status_code=200)
async def run_search(request: Call) -> Page:
    """What a text names. A single sure hit opens at once."""
    session = await signed_in(request)
    form = await read_form(request)
    text = form.get("q", "")
    voice = voice_of(language_of(request, session))
    found = await search(services_of(request), session, text, voice)
    if len(found.hits) == 1 and found.hits[0].href and form.get("stay") != "1":
        return redirect(found.hits[0].href)
    return _page(request, session, text, found)


@post("/console/search/person", status_code=200)
async def look_up(request: Call) -> Page:
    """Find a person's document by its number, for a reason; journalled whether or not it is found."""
    session = await signed_in(request, "worker")
    form = await read_form(request)
    services = services_of(request)
    try:
        found = await find_person_documents(
            services.pool,
            services.vault,
            form.get("kind", ""),
            form.get("number", ""),
            form.get("issuer", "").strip() or None,
            asker=asker_of(session),
            reason=form.get("reason", ""),
        )
    except InputError as error:
        return _page(request, session, form.get("number", ""), None, form=form, refused=error.code)
    if not found.token:
        return _page(request, session, form.get("number", ""), None, form=form, refused="none")
    return redirect(f"/console/found/{found.token}")


@get("/console/found/{token:str}")
async def show_found(request: Call, token: FromPath[str]) -> Page:
    """What a look-up found, until its name ends."""
    session = await signed_in(request)
    services = services_of(request)
    found = await open_lookup(services.pool, services.vault, token, asker=asker_of(session))
    voice = voice_of(language_of(request, session))
    return render(
        request,
        "found.html",
        session,
        title=words("查询结果", "What was found"),
        nav="search",
        content_css=static_path("content.css"),
        voice=voice,
        expires_at=found.expires_at,
        documents=_documents(request, session, found, voice),
    )


def asker_of(session: Session) -> Asker:
    """The party of a session as one who looks numbers up."""
    party = session.party
    codes = frozenset(code for code in (party.customs_code, party.uscc, party.gln) if code)
    return Asker(party_id=party.party_id, by=session.user.user_id, codes=codes, whole=session.is_operator)


def _documents(request: Call, session: Session, found: LookUp, voice: Voice) -> list[dict[str, object]]:
    services = services_of(request)
    documents: list[dict[str, object]] = []
    for document in found.documents:
        [(_, kind, href)] = names_of(services, session, [(document.uri, voice.kind(document.kind))])
        uses = [
            {
                "since": use.since,
                "until": use.until,
                "things": _things(request, session, use.things[:_SHOWN_THINGS], voice),
                # Goods without a label are traced by the parcel that they went in.
                "parcels": []
                if use.things
                else _things(request, session, use.parcels[:_SHOWN_THINGS], voice),
                "more": len(use.things) - _SHOWN_THINGS,
                "truncated": use.truncated,
            }
            for use in document.uses
        ]
        documents.append({"kind": kind, "href": href, "issuer": document.issuer, "uses": uses})
    return documents


def _things(request: Call, session: Session, uris: tuple[str, ...], voice: Voice) -> list[Named]:
    things = []
    for uri in uris:
        one = named(uri, voice)
        if is_pseudonym(uri):
            [(_, _, href)] = names_of(services_of(request), session, [(uri, one.kind)])
            one = Named(kind=one.kind, label=voice.say("打开", "open"), href=href)
        things.append(one)
    return things


def _page(
    request: Call,
    session: Session,
    text: str,
    found: Found | None,
    *,
    form: dict[str, str] | None = None,
    refused: str = "",
) -> Page:
    voice = voice_of(language_of(request, session))
    kinds = [kind for kind in _ORDER if kind in KINDS]
    return render(
        request,
        "search.html",
        session,
        title=words("搜索", "Search"),
        nav="search",
        form=form or {},
        content_css=static_path("content.css"),
        voice=voice,
        text=text[:400],
        found=found,
        refused=refused,
        kinds=[(kind, voice.kind(kind)) for kind in kinds],
        may_look_up=session.user.may("worker"),
    )


ROUTES = (start_search, run_search, look_up, show_found)
