"""The packing station: one page for a scanner in the hand, and the doors that it speaks to.

The page works without a network (its service worker keeps it, its queue keeps the acts) and is one page for all kinds
of acts. Its doors take forms like the rest of the console, so that every POST carries the session's token; the form's
field ``payload`` is JSON. Nothing here counts by address: twenty stations of a warehouse come from one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get, post

from suyuan.api.batch_files import DEFAULT_STYLE, label_of, patterns, scratch_codes
from suyuan.api.model import Call, services_of
from suyuan.capture.prepare import Deliverer
from suyuan.catalog import find_products
from suyuan.compliance.stations import Act, Undo, activate_drawn, draw_label, perform, withdraw
from suyuan.compliance.stations.acts import Station
from suyuan.compliance.stations.waybills import list_couriers
from suyuan.console import pack_words
from suyuan.console.access import Session, find_signed_in, read_form, signed_in
from suyuan.console.frame import HERE, PAGE_HEADERS, NavEntry, Page, render, static_path, words
from suyuan.console.pack_scans import Scan, look
from suyuan.errors import InputError, PermissionDenied, SuyuanError
from suyuan.printing import DEFAULT_DPI, get_style, open_printer
from suyuan.trace.read import party_numbers
from suyuan.web.label_files import READER_POLICY, served_path

STATION = "/console/pack"
ROLE = "bonded-warehouse"
NAV = (NavEntry("pack", STATION, "装箱台", "Packing station", "parcel", "worker", ROLE),)
_DATA_HEADERS = {
    name: PAGE_HEADERS[name] for name in ("X-Content-Type-Options", "Cache-Control", "X-Robots-Tag")
}
_ASSETS = (
    "pack.css",
    "pack_codes.js",
    "pack_queue.js",
    "pack_sound.js",
    "pack_desk.js",
    "pack.js",
    "pack_findings.js",
    "pack_keys.js",
    "pack_camera.js",
)
# The reader of codes for browsers without one of their own; kept by the service worker once it was needed.
_READER = tuple(served_path(f"vendor/zxing_reader.{kind}") for kind in ("js", "wasm"))
T = TypeVar("T")


class LabelOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A label that is asked for: of which goods, under which number of the request (a UUID)."""

    draw: str
    gtin: str
    lot: str
    style: str = DEFAULT_STYLE
    dpi: int = DEFAULT_DPI


async def _worker(request: Call) -> Session:
    """Who works here. Raises ``PermissionDenied`` (``station.role``, ``user.role.missing``)."""
    session = await signed_in(request, "worker")
    if not any(grant.role == ROLE for grant in session.grants):
        raise PermissionDenied(
            "station.role",
            "The packing station is for bonded warehouses.",
            remedy="The operator grants your party the role.",
        )
    return session


def _place(session: Session) -> str:
    """Where the station stands: the warehouse's own location number, where the party has one."""
    return f"https://id.gs1.org/414/{session.party.gln}" if session.party.gln else ""


async def _station(request: Call, session: Session) -> Station:
    couriers = await list_couriers(services_of(request).pool)
    return Station(
        deliverer=Deliverer(session.party.party_id, session.grants, party_numbers(session.party)),
        by=session.user.user_id,
        place=_place(session),
        couriers=[code for code, _, _ in couriers],
    )


async def _payload(request: Call, kind: type[T]) -> T:
    """The form's JSON. Raises ``InputError`` (``console.form.unreadable``)."""
    try:
        return msgspec.json.decode((await read_form(request)).get("payload", ""), type=kind)
    except (msgspec.DecodeError, ValueError):
        # What was sent may hold a waybill's number, so nothing of it is repeated.
        raise InputError("console.form.unreadable", "The payload of the form cannot be read.") from None


def _answer(body: Any, status: int = 200) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/json", headers=_DATA_HEADERS
    )


def _refusal(error: SuyuanError) -> Response[bytes]:
    return _answer({"error": {"code": error.code, "reason": error.reason}}, error.http_status)


async def _answered(request: Call, work: Callable[[Session], Awaitable[Any]]) -> Response[bytes]:
    """What a door answers to a worker: the work's result, or its refusal in a form that the page reads."""
    try:
        return _answer(await work(await _worker(request)))
    except SuyuanError as error:
        return _refusal(error)


# -- the page -----------------------------------------------------------------------------------------------------


@get(STATION)
async def show_station(request: Call) -> Page:
    """The page of all kinds of acts."""
    session = await _worker(request)
    bridge = services_of(request).settings.print_bridge_url
    page = render(
        request,
        "pack.html",
        session,
        title=words("装箱台", "Packing station"),
        nav="pack",
        pack_css=static_path("pack.css"),
        scripts=[static_path(name) for name in _ASSETS if name.endswith(".js")],
        codes=served_path("label_codes.js"),
        reader=_READER,
        modes=pack_words.MODES,
        screen=pack_words.SCREEN,
        reasons=pack_words.REASONS,
        couriers=await list_couriers(services_of(request).pool),
        said=_in_script(
            {
                "refusals": pack_words.REFUSALS,
                "states": pack_words.STATES,
                "screen": pack_words.SCREEN,
                "modes": {name: pair for name, (pair, _) in pack_words.MODES.items()},
            }
        ),
        bridge=bridge,
    )
    parts = urlsplit(bridge)
    reached = f" {parts.scheme}://{parts.netloc}" if bridge else ""
    policy = PAGE_HEADERS["Content-Security-Policy"].replace("script-src 'self'", f"{READER_POLICY}{reached}")
    page.headers["Content-Security-Policy"] = f"{policy}; worker-src 'self'"
    page.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
    return page


def _in_script(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


@get(f"{STATION}/worker.js")
async def station_worker(request: Call) -> Response[bytes]:
    """The service worker: it keeps the page and its files. Open to all, since a browser asks for it by itself."""
    code = (HERE / "static" / "pack_worker.js").read_bytes()
    assets = json.dumps([served_path("label_codes.js"), *(static_path(name) for name in _ASSETS)])
    head = f"const PAGE = {json.dumps(STATION)};\nconst ASSETS = {assets};\nconst WANTED = {json.dumps(_READER)};\n"
    return Response(
        head.encode() + code,
        media_type="text/javascript; charset=utf-8",
        headers={
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
            "Service-Worker-Allowed": STATION,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        },
    )


@get(f"{STATION}/state")
async def station_state(request: Call) -> Response[bytes]:
    """Who is signed in, the token for the forms, and the server's clock; 401 where nobody is."""
    if await find_signed_in(request) is None:
        return _answer({"error": {"code": "station.session", "reason": "Nobody is signed in."}}, 401)

    async def work(session: Session) -> Any:
        return {
            "csrf": session.csrf,
            "user": session.user.user_name,
            "party": session.party.party_id,
            "now": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }

    return await _answered(request, work)


# -- the doors ----------------------------------------------------------------------------------------------------


@post(f"{STATION}/look", status_code=200)
async def look_at_scan(request: Call) -> Response[bytes]:
    """One scan, checked; nothing is stored."""

    async def work(session: Session) -> Any:
        services = services_of(request)
        scan = await _payload(request, Scan)
        named = await list_couriers(services.pool) if scan.want == "waybill" else []
        couriers = [code for code, _, _ in named]
        found = await look(
            services.reader, services.vault, scan, party_id=session.party.party_id, couriers=couriers
        )
        return {"scan": scan.scan, **found}

    return await _answered(request, work)


@post(f"{STATION}/act", status_code=200)
async def do_act(request: Call) -> Response[bytes]:
    """An act, checked and stored as one event; sent again it is answered and changes nothing.

    Codes whose labels were drawn for a parcel are made active with it; the answer says where they are not.
    """

    async def work(session: Session) -> Any:
        services = services_of(request)
        act = await _payload(request, Act)
        station = await _station(request, session)
        result = await perform(services.pool, services.capture, services.vault, act, station)
        if result.state == "refused":
            return result
        activation = await activate_drawn(services.pool, services.capture, act, station)
        return {**msgspec.to_builtins(result), "activation": activation}

    return await _answered(request, work)


@post(f"{STATION}/undo", status_code=200)
async def undo_act(request: Call) -> Response[bytes]:
    """An act of this party is declared as not done."""

    async def work(session: Session) -> Any:
        services = services_of(request)
        undo = await _payload(request, Undo)
        return await withdraw(services.pool, services.capture, undo, await _station(request, session))

    return await _answered(request, work)


@post(f"{STATION}/label", status_code=200)
async def print_label(request: Call) -> Response[bytes]:
    """A code is drawn from a lot at hand; the answer has its label as ZPL."""

    async def work(session: Session) -> Any:
        services = services_of(request)
        order = await _payload(request, LabelOrder)
        printer = open_printer("zpl", get_style(order.style), order.dpi)
        batch, serial = await draw_label(
            services.pool, gtin=order.gtin, lot=order.lot, party_id=session.party.party_id, draw_id=order.draw
        )
        product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
        scratch, drawn, style = [""], [b""], get_style(order.style)
        if style.panel is not None:
            scratch = scratch_codes(batch, services.scratch_keys, [serial])
        if style.pattern is not None:
            drawn = patterns(batch, services.pattern_keys, [serial])
        label = label_of(batch, services.settings, serial, product, None, scratch[0], drawn[0])
        zpl = (printer.add(label) + b"".join(printer.finish())).decode("ascii")
        return {"serial": serial, "gtin": batch.gtin, "lot": batch.lot, "zpl": zpl}

    return await _answered(request, work)


ROUTES = (show_station, station_worker, station_state, look_at_scan, do_act, undo_act, print_label)
