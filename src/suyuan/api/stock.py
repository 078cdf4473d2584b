"""The balance at work: stock with the step where each difference arose, as far as the caller may see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from litestar import get
from litestar.params import FromQuery

from suyuan.api.access import BALANCE_ROLES, holds_any, require
from suyuan.api.model import Call, services_of
from suyuan.compliance.stock import read_query, stock_of
from suyuan.compliance.stock_model import LotStock, Stock
from suyuan.db.pool import Pool, sql
from suyuan.errors import PermissionDenied
from suyuan.parties.members import get_party

WAREHOUSE = "bonded-warehouse"
# Who has a stake in all of a GTIN's goods, wherever they lie; a warehouse has one in what it keeps.
STAKE_ROLES = tuple(role for role in BALANCE_ROLES if role != WAREHOUSE)


@get("/api/v1/stock", tags=["trace"])
async def read_stock(
    request: Call,
    gtin: FromQuery[str] = "",
    lot: FromQuery[str] = "",
    ledger_item: FromQuery[str] = "",
    facility: FromQuery[str] = "",
) -> Stock:
    """What should be in stock, what counts found, and where the two went apart, by lot and by ledger item.

    The operator sees all, who has a stake in a GTIN all of that, a bonded warehouse what lies in its own places.
    ``ledger_item`` is ``LEDGER:ITEM``, ``facility`` the URI of the warehouse.
    """
    principal = await require(request, "trace")
    query = read_query(gtin, lot, ledger_item, facility)
    pool = services_of(request).pool
    if not principal.is_operator and not gtin and not ledger_item:
        raise PermissionDenied(
            "access.stock",
            "Stock of everything is for the operator.",
            path="gtin",
            remedy="Ask for a GTIN or a ledger item.",
        )
    if gtin and not await holds_any(pool, principal, BALANCE_ROLES, gtin):
        raise PermissionDenied(
            "access.gtin.balance",
            f"{principal.party_id} has no role for the GTIN {gtin} that shows its quantities.",
            path="gtin",
            remedy="The operator grants one of the roles: " + ", ".join(BALANCE_ROLES) + ".",
        )
    found = await stock_of(pool, query)
    if principal.is_operator:
        return found
    return await stock_seen(
        pool,
        principal.party_id,
        found,
        has_stake=lambda gtin: holds_any(pool, principal, STAKE_ROLES, gtin),
        keeps=lambda gtin: principal.holds(WAREHOUSE, gtin),
    )


async def stock_seen(
    pool: Pool,
    party_id: str,
    found: Stock,
    *,
    has_stake: Callable[[str], Awaitable[bool]],
    keeps: Callable[[str], bool],
) -> Stock:
    """What of the stock is a party's to see: all of a GTIN in which it has a stake, else of one that it keeps as a
    warehouse what lies in its own places. A ledger item is seen by who sees stock under it.
    """
    stake = {gtin: await has_stake(gtin) for gtin in {row.gtin for row in found.lots}}
    own = await _own_places(pool, party_id, {row.facility for row in found.lots if row.facility})

    def sees(row: LotStock) -> bool:
        return stake[row.gtin] or (row.facility in own and keeps(row.gtin))

    lots = tuple(row for row in found.lots if sees(row))
    items = {row.ledger_item for row in lots}
    ledgers = tuple(ledger for ledger in found.ledgers if ledger.ledger_item in items)
    return msgspec.structs.replace(found, lots=lots, ledgers=ledgers)


async def _own_places(pool: Pool, party_id: str, places: set[str]) -> set[str]:
    """Those of the places that bear the party's GLN, or that it recorded itself."""
    gln = (await get_party(pool, party_id)).gln
    rows = await pool.fetch(sql(__package__, "place_recorders"), sorted(places))
    own = {row["uri"] for row in rows if row["recorded_by"] == party_id}
    if gln:
        stem = f"https://id.gs1.org/414/{gln}"
        own |= {uri for uri in places if uri == stem or uri.startswith(f"{stem}/")}
    return own


ROUTES = (read_stock,)
