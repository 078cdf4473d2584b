"""Traces, coverage, balance and proof bundles, each as far as the caller may see it.

Without a token the caller is the public; an operator's token gets the whole; a member's what its standing towards the
thing lets it see, which is nothing where it has none.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from suyuan.api.access import BALANCE_ROLES, holds_any, require, viewer_of
from suyuan.api.model import Call, services_of
from suyuan.api.requests import read_thing
from suyuan.compliance.afterlife import reuse_of
from suyuan.compliance.balance import Subject, balance_of
from suyuan.compliance.cities import load_cities
from suyuan.compliance.consignment import Consignment, consignment_findings, consignments_of
from suyuan.compliance.coverage import coverage_seen
from suyuan.compliance.legs import load_profiles
from suyuan.compliance.model import Balance, Coverage
from suyuan.errors import NotFoundError, PermissionDenied
from suyuan.gs1.digital_link import canonical_or_same
from suyuan.issuing.codes import check_batch
from suyuan.trace import OPERATOR, Viewer, make_bundle
from suyuan.trace.model import Trace
from suyuan.trace.read import may_ask


def unknown_thing(viewer: Viewer) -> NotFoundError:
    """The error for a thing of which nothing is known, or nothing that the viewer may know: the same for both."""
    remedy = "Check the code. What was captured is there at once; what was refused is not."
    if viewer.party:
        remedy += (
            " A member sees goods on whose chain it is; without a token one sees what any holder may see."
        )
    return NotFoundError(
        "trace.thing.unknown", "Nothing is known here of that thing.", path="uri", remedy=remedy
    )


def check_public(thing: str, viewer: Viewer) -> None:
    """Raise ``NotFoundError`` where a thing is not the public's to ask for.

    The public holds goods and asks by what stands on them. Numbers of customs documents, containers and pseudonyms
    can be guessed in order, so it gets the same answer for all of them. A GTIN alone would give the way of every lot
    and parcel. What a member may ask for, its standing decides.
    """
    if viewer.whole or viewer.party:
        return
    if not thing.startswith(("https://", "http://")) or not may_ask(thing, viewer.audience):
        raise unknown_thing(viewer)


@get("/api/v1/trace", tags=["trace"])
async def read_trace(request: Call, uri: FromQuery[str]) -> Trace:
    """The way of one thing, facts in order of event time: an item, a lot, a logistic unit; with a token also a
    document or a container. Each fact says why the caller sees it.
    """
    viewer = await viewer_of(request)
    thing = read_thing(uri)
    check_public(thing, viewer)
    trace = await services_of(request).reader.read(thing, viewer)
    if trace is None:
        raise unknown_thing(viewer)
    return trace


@get("/api/v1/coverage", tags=["trace"])
async def read_coverage(request: Call, uri: FromQuery[str]) -> Coverage:
    """Which of the legs that the law asks for are there, which are missing, and who owes them."""
    viewer = await viewer_of(request)
    services = services_of(request)
    thing = read_thing(uri)
    check_public(thing, viewer)
    profiles = load_profiles(services.settings.data_dir / "legs")
    cities = load_cities(services.settings.data_dir / "cities")
    readings = await services.reader.read_views(thing, OPERATOR, viewer)
    if not readings or readings[1].trace.audience == "elsewhere":
        raise unknown_thing(viewer)
    found = coverage_seen(readings[0], readings[1], profiles, datetime.now(UTC), cities)
    if not viewer.whole:
        return found
    whole = readings[0].trace
    more = (*await consignment_findings(services.pool, whole), *reuse_of(whole))
    return msgspec.structs.replace(found, findings=(*found.findings, *more))


@get("/api/v1/balance", tags=["trace"])
async def read_balance(
    request: Call,
    gtin: FromQuery[str],
    lot: FromQuery[str],
    ledger_item: FromQuery[str] = "",
    facility: FromQuery[str] = "",
) -> Balance:
    """The quantity balance of a lot, with what does not add up. For the operator and who has a stake in it.

    ``ledger_item`` is ``LEDGER:ITEM``, ``facility`` the URI of the warehouse.
    """
    principal = await require(request, "trace")
    check_batch(gtin, lot, 1)
    pool = services_of(request).pool
    if not await holds_any(pool, principal, BALANCE_ROLES, gtin):
        raise PermissionDenied(
            "access.gtin.balance",
            f"{principal.party_id} has no role for the GTIN {gtin} that shows its quantities.",
            path="gtin",
            remedy="The operator grants one of the roles: " + ", ".join(BALANCE_ROLES) + ".",
        )
    subject = Subject(
        gtin=gtin,
        lot=lot,
        ledger_item=ledger_item.removeprefix("urn:suyuan:ledger-item:"),
        facility=canonical_or_same(facility) if facility else "",
    )
    return await balance_of(pool, subject)


@get("/api/v1/consignments", tags=["trace"])
async def read_consignments(request: Call, uri: FromQuery[str]) -> tuple[Consignment, ...]:
    """The direct-mail consignments that a thing's parcel was part of: how many parcels left and how many arrived.

    For the operator: a consignment is many people's.
    """
    principal = await require(request, "trace")
    if not principal.is_operator:
        raise PermissionDenied(
            "access.consignment",
            "A consignment is shared by many people and shown to the operator alone.",
            remedy="Ask with an operator's token.",
        )
    services = services_of(request)
    trace = await services.reader.read(read_thing(uri), OPERATOR)
    if trace is None:
        raise unknown_thing(OPERATOR)
    return await consignments_of(services.pool, trace)


@get("/api/v1/bundle", tags=["trace"])
async def read_bundle(request: Call, uri: FromQuery[str]) -> Response[bytes]:
    """The proof bundle of a thing's trace: what the caller may see, checkable offline (suyuan verify)."""
    viewer = await viewer_of(request)
    services = services_of(request)
    thing = read_thing(uri)
    check_public(thing, viewer)
    bundle = await make_bundle(services.reader, services.tree, thing, viewer, log_key=services.signer.vkey)
    if bundle is None:
        raise NotFoundError(
            "trace.bundle.none",
            "Nothing that could be proved is published of that thing.",
            path="uri",
            remedy="A fact is published about a second after it was captured; try again.",
        )
    headers = {"Content-Disposition": 'attachment; filename="bundle.json"'}
    return Response(bundle, media_type="application/json", headers=headers)


ROUTES = (read_trace, read_coverage, read_balance, read_consignments, read_bundle)
