"""Products and places. Who puts a product may thereby name who issues its codes, so that is guarded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
from litestar import get, put
from litestar.params import FromQuery

from suyuan.api.access import ISSUER_ROLES, require
from suyuan.api.documentation import takes
from suyuan.api.members import limit_of
from suyuan.api.model import Call, services_of
from suyuan.api.requests import decode_command
from suyuan.catalog import (
    Place,
    Product,
    check_place,
    check_product,
    find_products,
    list_places,
    list_products,
    put_places,
    put_products,
    read_places_csv,
    read_products_csv,
)
from suyuan.catalog.reading import MAX_BYTES
from suyuan.db.pool import Pool, sql
from suyuan.errors import PermissionDenied
from suyuan.parties import Principal

Record = TypeVar("Record", Product, Place)


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """How many records were new or changed, of how many that were sent."""

    changed: int
    received: int


async def _records(
    call: Call, kind: type[Record], read_csv: Callable[[bytes], tuple[Record, ...]]
) -> list[Record]:
    """The records of the body: a workbook, CSV where the content type says so, else a JSON object or a list."""
    data = await call.body()
    if data.startswith(b"PK"):
        return list(await asyncio.to_thread(read_csv, data))
    if (call.headers.get("content-type") or "").split(";")[0].strip().lower() == "text/csv":
        return list(read_csv(data))
    if data.lstrip()[:1] == b"{":
        return [decode_command(data, kind)]
    return decode_command(data, list[kind])  # type: ignore[valid-type]


async def _check_products(pool: Pool, principal: Principal, products: list[Product]) -> None:
    if principal.is_operator:
        return
    known = await find_products(pool, [product.gtin for product in products])
    for number, product in enumerate(products):
        stored = known.get(product.gtin)
        owns = stored is not None and stored.owner_party == principal.party_id
        if not owns and not any(principal.holds(role, product.gtin) for role in ISSUER_ROLES):
            raise PermissionDenied(
                "access.gtin.product",
                f"{principal.party_id} is neither brand owner nor manufacturer of the GTIN {product.gtin}.",
                path=f"[{number}].gtin",
                remedy="The operator grants the role, or puts the product.",
            )


async def _check_places(pool: Pool, principal: Principal, places: list[Place]) -> None:
    if principal.is_operator:
        return
    rows = await pool.fetch(sql(__package__, "place_recorders"), [place.uri for place in places])
    others = {row["uri"] for row in rows if row["recorded_by"] != principal.party_id}
    for number, place in enumerate(places):
        if place.uri in others:
            raise PermissionDenied(
                "access.place",
                "Another party recorded this place.",
                path=f"[{number}].uri",
                remedy="The operator may change it.",
            )


@put("/api/v1/products", request_max_body_size=MAX_BYTES, tags=["catalogue"],
     operation_class=takes(list[Product]))  # fmt: skip
async def write_products(request: Call) -> Put:
    """Put products, all or none: a JSON object or list, CSV (text/csv), a workbook. What is there changes nothing."""
    principal = await require(request, "catalog.write")
    products = [check_product(product) for product in await _records(request, Product, read_products_csv)]
    pool = services_of(request).pool
    await _check_products(pool, principal, products)
    changed = await put_products(pool, products, recorded_by=principal.party_id)
    return Put(changed=changed, received=len(products))


@put(
    "/api/v1/places", request_max_body_size=MAX_BYTES, tags=["catalogue"], operation_class=takes(list[Place])
)
async def write_places(request: Call) -> Put:
    """Put places, all or none: a JSON object or list, CSV (text/csv), a workbook. What is there changes nothing."""
    principal = await require(request, "catalog.write")
    places = [check_place(place) for place in await _records(request, Place, read_places_csv)]
    pool = services_of(request).pool
    await _check_places(pool, principal, places)
    changed = await put_places(pool, places, recorded_by=principal.party_id)
    return Put(changed=changed, received=len(places))


@get("/api/v1/products", tags=["catalogue"])
async def read_products(
    request: Call, after: FromQuery[str] = "", limit: FromQuery[int] = 100
) -> list[Product]:
    """Products in order of their GTIN; ``after`` is the last GTIN of the page before."""
    await require(request)
    return await list_products(services_of(request).pool, after=after, limit=limit_of(limit))


@get("/api/v1/places", tags=["catalogue"])
async def read_places(request: Call, after: FromQuery[str] = "", limit: FromQuery[int] = 100) -> list[Place]:
    """Places in order of their URI; ``after`` is the last URI of the page before."""
    await require(request)
    return await list_places(services_of(request).pool, after=after, limit=limit_of(limit))


ROUTES = (write_products, write_places, read_products, read_places)
