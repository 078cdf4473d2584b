"""Labels that were drawn at the table, once they are on goods in a parcel: their codes are made active.

Whoever packs has the goods in hand and has put the label on them, so that nobody need send a list of serials later. The
command is the one that the allowance bounds, for each lot of a parcel by itself. Where it is refused the parcel stays
packed, since it is: the codes are not active, and the station says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from suyuan.capture.intake import Capture
from suyuan.compliance.activation import ActivationCommand, activate_codes
from suyuan.compliance.stations.acts import Station
from suyuan.compliance.stations.model import Act, goods_key
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import RefusedError


class DrawnActivation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the codes of drawn labels: how many are active now, and why others are not (a stable code)."""

    activated: int = 0
    refused: int = 0
    code: str = ""


async def find_drawn(db: Pool | Connection, uris: Iterable[str], party_id: str) -> list[asyncpg.Record]:
    """Of these items those whose labels the party drew and whose codes are not active yet: gtin, lot, serial."""
    serials: dict[str, list[str]] = {}
    for uri in uris:
        gtin, serial = goods_key(uri)
        if serial:
            serials.setdefault(gtin, []).append(serial)
    found: list[asyncpg.Record] = []
    for gtin, named in serials.items():
        found += await db.fetch(sql(__package__, "drawn"), gtin, named, party_id)
    return found


async def activate_drawn(pool: Pool, capture: Capture, act: Act, station: Station) -> DrawnActivation:
    """Make the codes active whose labels were drawn for this parcel; sent again, whatever is left of them."""
    if act.kind != "pack":
        return DrawnActivation()
    party_id = station.deliverer.party_id
    lots: dict[tuple[str, str], list[str]] = {}
    for row in await find_drawn(pool, (part.uri for part in act.parts), party_id):
        lots.setdefault((row["gtin"], row["lot"]), []).append(row["serial"])
    done = DrawnActivation()
    for (gtin, lot), serials in lots.items():
        try:
            count = await _activate(pool, capture, gtin, lot, serials, act, station)
        except RefusedError as error:
            done = msgspec.structs.replace(done, refused=done.refused + len(serials), code=error.code)
        else:
            done = msgspec.structs.replace(done, activated=done.activated + count)
    return done


async def _activate(
    pool: Pool, capture: Capture, gtin: str, lot: str, serials: Sequence[str], act: Act, station: Station
) -> int:
    command = ActivationCommand(
        gtin=gtin, lot=lot, serials=tuple(serials), facility=station.place, event_time=act.at
    )
    try:
        result = await activate_codes(pool, capture, command, station.deliverer)
    except RefusedError as error:
        if not station.place or error.code != "issuing.allowance.exceeded":
            raise
        # The tally may name the place in other words; the lot's own allowance bounds all the same.
        bare = msgspec.structs.replace(command, facility="")
        result = await activate_codes(pool, capture, bare, station.deliverer)
    return result.activated
