"""Drawing single codes for labels that are printed where the goods are packed."""

from __future__ import annotations

from suyuan.db.pool import Connection, sql
from suyuan.errors import RefusedError
from suyuan.issuing.codes import Batch, find_batches

# Where the last draw of this process stopped, by batch: a hint that spares the codes before it; without it a draw is
# slower and gives the same kind of code.
_drawn: dict[int, int] = {}


async def draw_code(
    conn: Connection, *, gtin: str, lot: str, party_id: str, draw_id: str
) -> tuple[Batch, str]:
    """The next code of a lot that nobody printed, voided or activated, noted as printed; with its batch.

    Inside the caller's transaction. The same ``draw_id`` gives the same code again. Raises ``RefusedError``
    (``issuing.code.none_left``).
    """
    await conn.execute(sql(__package__, "draw_lock"), f"{gtin}/{lot}")
    batches = await find_batches(conn, gtin, lot)
    mark = f"draw {draw_id} "
    known = await conn.fetchrow(sql(__package__, "drawn_before"), gtin, lot, party_id, mark)
    by_id = {batch.batch_id: batch for batch in batches}
    if known is not None:
        return by_id[known["batch_id"]], known["serial"]
    for batch in batches:
        hint = _drawn.get(batch.batch_id, 0)
        for after in dict.fromkeys((hint, 0)):
            row = await conn.fetchrow(sql(__package__, "next_unused"), batch.batch_id, after)
            if row is not None:
                break
        if row is None:
            continue
        _drawn[batch.batch_id] = row["ordinal"] - 1  # the draw may yet be rolled back
        await conn.execute(
            sql(__package__, "note_drawn"), gtin, lot, mark + row["serial"], party_id, row["serial"]
        )
        return batch, row["serial"]
    raise RefusedError(
        "issuing.code.none_left",
        f"No unused code of the lot {lot} is left.",
        path="lot",
        remedy="Issue another batch.",
    )
