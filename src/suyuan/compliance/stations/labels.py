"""Codes for goods that come without: drawn one by one at the packing table, printed, and bound by being scanned."""

from __future__ import annotations

from suyuan.capture.index import key_of
from suyuan.compliance.stations.model import check_id
from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.errors import RefusedError
from suyuan.gs1.percent import encode_value
from suyuan.issuing import Batch, find_batches
from suyuan.issuing.drawing import draw_code

_STEP = "https://ref.gs1.org/cbv/BizStep-"
_AT_HAND = [_STEP + step for step in ("receiving", "storing", "unpacking", "accepting")]


async def lots_at_hand(db: Pool | Connection, gtin: str, party_id: str) -> list[str]:
    """Lots of a GTIN whose codes the party may put on goods: it issued them, or reported goods of the lot."""
    lots = list(dict.fromkeys(batch.lot for batch in await find_batches(db, gtin)))
    keys = [key_of(f"https://id.gs1.org/01/{gtin}/10/{encode_value(lot)}") for lot in lots]
    rows = await db.fetch(sql(__package__, "lots_at_hand"), gtin, party_id, lots, keys, _AT_HAND)
    return [row["lot"] for row in rows]


async def draw_label(pool: Pool, *, gtin: str, lot: str, party_id: str, draw_id: str) -> tuple[Batch, str]:
    """A code of the lot, noted as printed, with its batch; the same ``draw_id`` (UUID) gives the same one.

    Raises ``RefusedError`` (``station.lot.not_here``, ``issuing.code.none_left``) and ``InputError``
    (``station.act.id``).
    """
    check_id(draw_id)
    if lot not in await lots_at_hand(pool, gtin, party_id):
        raise RefusedError(
            "station.lot.not_here",
            "This party neither issued codes of the lot nor reported goods of it.",
            path="lot",
            remedy="Report what was received first.",
        )
    return await transaction(
        pool, lambda conn: draw_code(conn, gtin=gtin, lot=lot, party_id=party_id, draw_id=draw_id)
    )
