"""Putting and getting master data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import msgspec

from suyuan.catalog.records import Place, Product, check_place, check_product, normal_gtin
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError, NotFoundError
from suyuan.gs1.canonical_form import canonical_or_same


def _product(row: asyncpg.Record) -> Product:
    return msgspec.convert({**msgspec.json.decode(row["attributes"]), "gtin": row["gtin"]}, Product)


def _place(row: asyncpg.Record) -> Place:
    return msgspec.convert({**msgspec.json.decode(row["attributes"]), "uri": row["uri"]}, Place)


def _attributes(record: Product | Place, key: str) -> str:
    attributes: dict[str, Any] = msgspec.to_builtins(record)
    del attributes[key]
    return msgspec.json.encode(attributes, order="sorted").decode()


def _check_once(keys: Sequence[str], path: str) -> None:
    if len(set(keys)) != len(keys):
        raise InputError("catalog.twice", "One key stands in the list twice.", path=path)


async def put_products(db: Pool | Connection, products: Sequence[Product], *, recorded_by: str) -> int:
    """Store a new version of each product that differs from its newest; returns how many were new.

    All or nothing. Raises ``InputError`` (``catalog.*``).
    """
    checked = sorted((check_product(product) for product in products), key=lambda product: product.gtin)
    _check_once([product.gtin for product in checked], "gtin")
    rows = await db.fetch(
        sql(__package__, "put_products"),
        [product.gtin for product in checked],
        [_attributes(product, "gtin") for product in checked],
        recorded_by,
    )
    return len(rows)


async def put_places(db: Pool | Connection, places: Sequence[Place], *, recorded_by: str) -> int:
    """As ``put_products``, for places."""
    checked = sorted((check_place(place) for place in places), key=lambda place: place.uri)
    _check_once([place.uri for place in checked], "uri")
    rows = await db.fetch(
        sql(__package__, "put_places"),
        [place.uri for place in checked],
        [_attributes(place, "uri") for place in checked],
        recorded_by,
    )
    return len(rows)


async def find_products(db: Pool | Connection, gtins: Collection[str]) -> dict[str, Product]:
    """The newest versions of those of these GTINs (14 digits) that are known, in one query."""
    rows = await db.fetch(sql(__package__, "find_products"), sorted(set(gtins)))
    return {row["gtin"]: _product(row) for row in rows}


async def find_places(db: Pool | Connection, uris: Collection[str]) -> dict[str, Place]:
    """The newest versions of those of these canonical URIs that are known, in one query."""
    rows = await db.fetch(sql(__package__, "find_places"), sorted(set(uris)))
    return {row["uri"]: _place(row) for row in rows}


async def get_product(db: Pool | Connection, gtin: str) -> Product:
    """The newest version of a product. Raises ``NotFoundError`` (``catalog.product.unknown``)."""
    gtin = normal_gtin(gtin)
    found = await find_products(db, [gtin])
    if gtin not in found:
        raise NotFoundError(
            "catalog.product.unknown",
            f"The catalogue has no product {gtin}.",
            path="gtin",
            remedy="Put it first.",
        )
    return found[gtin]


async def get_place(db: Pool | Connection, uri: str) -> Place:
    """The newest version of a place. Raises ``NotFoundError`` (``catalog.place.unknown``)."""
    uri = canonical_or_same(uri)
    found = await find_places(db, [uri])
    if uri not in found:
        raise NotFoundError(
            "catalog.place.unknown",
            f"The catalogue has no place {uri[:80]}.",
            path="uri",
            remedy="Put it first.",
        )
    return found[uri]


async def list_products(db: Pool | Connection, *, after: str = "", limit: int = 100) -> list[Product]:
    """Newest versions in order of GTIN, at most ``limit`` of those that come after the GTIN ``after``."""
    return [_product(row) for row in await db.fetch(sql(__package__, "list_products"), after, limit)]


async def list_places(db: Pool | Connection, *, after: str = "", limit: int = 100) -> list[Place]:
    """Newest versions in order of URI, at most ``limit`` of those that come after the URI ``after``."""
    return [_place(row) for row in await db.fetch(sql(__package__, "list_places"), after, limit)]
