"""Labels: choose a style, see it with a real code, take the file of a batch."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from suyuan.api.access import ISSUER_ROLES
from suyuan.api.batch_files import (
    DEFAULT_STYLE,
    FileOrder,
    batch_file,
    file_name,
    label_of,
    media_type,
    read_order,
)
from suyuan.api.model import Call, Services, services_of
from suyuan.catalog import find_products
from suyuan.console.access import Session, signed_in
from suyuan.console.frame import PAGE_HEADERS, NavEntry, Page, language_of, render, static_path, words
from suyuan.console.links import LABELS, with_query
from suyuan.console.search import may_issue
from suyuan.console.words import voice_of
from suyuan.db.pool import sql
from suyuan.errors import NotFoundError
from suyuan.issuing import Batch, get_batch, iter_serials
from suyuan.printing import (
    FORMATS,
    IMAGE_RESOLUTIONS,
    Style,
    built_in_styles,
    get_style,
    preview,
    render_svg,
    sample_pattern,
)

NAV = (NavEntry("labels", LABELS, "标签", "Labels", "label"),)
PREVIEW = "/console/labels/preview"
FILE = "/console/labels/file"
_BATCHES = 50


@get(LABELS)
async def show_labels(
    request: Call,
    batch: FromQuery[int] = 0,
    style: FromQuery[str] = DEFAULT_STYLE,
    format: FromQuery[str] = "pdf",  # noqa: A002 - the query's own word
    dpi: FromQuery[int] = 0,
    expiry: FromQuery[str] = "",
) -> Page:
    """Styles side by side, the chosen one with a code of the batch, and the file to take."""
    session = await signed_in(request)
    services = services_of(request)
    voice = voice_of(language_of(request, session))
    order = read_order(format, style, dpi, expiry)
    chosen = await batch_for(services, session, batch) if batch else None
    query: dict[str, Any] = {"batch": batch or "", "format": order.format, "dpi": order.dpi, "expiry": expiry}
    return render(
        request,
        "labels.html",
        session,
        title=words("标签", "Labels"),
        nav="labels",
        content_css=static_path("content.css"),
        styles=[
            (
                one.name,
                voice.public.name(one.title_en, one.title_zh),
                with_query(PREVIEW, style=one.name),
                with_query(LABELS, **query, style=one.name),
            )
            for one in built_in_styles().values()
        ],
        style=get_style(order.style),
        size=_size(get_style(order.style)),
        order=order,
        expiry=expiry,
        batch=chosen,
        batches=await _batches(services, session),
        formats=list(FORMATS),
        resolutions=list(IMAGE_RESOLUTIONS),
        preview=with_query(PREVIEW, batch=batch or "", style=order.style, expiry=expiry),
        file_href=with_query(FILE, **query, style=order.style) if chosen is not None else "",
        file_name=file_name(chosen, order) if chosen is not None else "",
        may_take=session.user.may("worker"),
    )


def _size(style: Style) -> str:
    sheet = f" · {style.sheet.columns} × {style.sheet.rows} / A4" if style.sheet is not None else ""
    return f"{style.width:g} × {style.height:g} mm{sheet}"


async def _batches(services: Services, session: Session) -> list[dict[str, Any]]:
    """The newest batches that the party may print."""
    gtins = [grant.scope for grant in session.grants if grant.role in ISSUER_ROLES and grant.scope]
    everything = may_issue(session, "")
    rows = await services.pool.fetch(
        sql(__package__, "recent_batches"), gtins, session.party.party_id, everything, _BATCHES
    )
    return [dict(row) for row in rows]


async def batch_for(services: Services, session: Session, batch_id: int) -> Batch:
    """A batch that the party may print. Raises ``NotFoundError`` (``issuing.batch.unknown``)."""
    batch = await get_batch(services.pool, batch_id)
    if batch.issued_by == session.party.party_id or may_issue(session, batch.gtin):
        return batch
    product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
    if product is not None and product.owner_party == session.party.party_id:
        return batch
    raise NotFoundError("issuing.batch.unknown", "There is no such batch of this party.", path="batch")


@get(PREVIEW)
async def show_preview(
    request: Call, style: FromQuery[str], batch: FromQuery[int] = 0, expiry: FromQuery[str] = ""
) -> Response[bytes]:
    """A style as SVG: with the first code of a batch, else with a sample's data."""
    session = await signed_in(request)
    services = services_of(request)
    order = read_order("svg", style, 0, expiry)
    if not batch:
        text = preview(get_style(order.style))
    else:
        text = await _first_label(services, await batch_for(services, session, batch), order)
    # An image loads nothing: fonts are named, not fetched.
    headers = {**PAGE_HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(text.encode(), media_type="image/svg+xml", headers=headers)


async def _first_label(services: Services, batch: Batch, order: FileOrder) -> str:
    product = (await find_products(services.pool, [batch.gtin])).get(batch.gtin)
    async for serials in iter_serials(services.pool, batch.batch_id):
        label = label_of(batch, services.settings, serials[0], product, order.expiry)
        style = get_style(order.style)
        if style.pattern is not None:
            # A label's own pattern goes to the printer and nowhere else.
            label = msgspec.structs.replace(label, pattern=sample_pattern())
        return render_svg(label, style)
    raise NotFoundError("issuing.batch.unknown", "The batch has no codes.", path="batch")


@get(FILE)
async def take_file(
    request: Call,
    batch: FromQuery[int],
    format: FromQuery[str] = "pdf",  # noqa: A002 - the query's own word
    style: FromQuery[str] = DEFAULT_STYLE,
    dpi: FromQuery[int] = 0,
    expiry: FromQuery[str] = "",
) -> Stream:
    """The file of a batch, streamed."""
    session = await signed_in(request, "worker")
    services = services_of(request)
    found = await batch_for(services, session, batch)
    order = read_order(format, style, dpi, expiry)
    return Stream(
        await batch_file(services, found, order),
        media_type=media_type(order),
        headers={**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{file_name(found, order)}"'},
    )


ROUTES = (show_labels, show_preview, take_file)
