"""A warehouse with goods, papers and a station, for the tests of the packing station."""

from __future__ import annotations

import io
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from console_site import Person, Site

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))

from deployment import GTIN, OTHER_GTIN, document, item, lot_class, observed, of_lot, raw

from suyuan.capture.prepare import Deliverer
from suyuan.catalog import Product, put_products
from suyuan.compliance.stations import draw_label
from suyuan.issuing import issue, iter_serials, void
from suyuan.issuing.alias_rows import rows_of_list
from suyuan.issuing.aliasing import import_aliases
from suyuan.issuing.foreign_codes import CodeSystem
from suyuan.parties import Party, add_party, grant_role, grants_at

LOT, OLD_LOT = "L25216A", "L24001"
COURIER = "440196X001"
WAYBILL = "SF1399000000017"
SKU, OTHER_SKU = GTIN[1:], OTHER_GTIN[1:]


class Warehouse(msgspec.Struct, frozen=True):
    """Bare serials by lot, and of the other GTIN; ``person`` works at the station."""

    site: Site
    person: Person
    good: list[str]
    recalled: list[str]
    other: list[str]
    voided: str

    async def deliverer(self, party_id: str) -> Deliverer:
        pool = self.site.services.pool
        return Deliverer(party_id, tuple(await grants_at(pool, party_id, datetime.now(UTC))))

    async def say(self, party_id: str, *events: dict[str, Any]) -> None:
        await self.site.services.capture.submit(document(events), await self.deliverer(party_id))

    async def declared(self, waybill: str, **pieces: int) -> None:
        """A declaration of a parcel: pieces by GTIN, given as ``g08710000001236=2``."""
        await self.say(
            "nanyue",
            observed(
                datetime.now(UTC).isoformat(),
                bizStep="urn:suyuan:bizstep:declaring",
                bizTransactionList=[
                    {"type": "urn:suyuan:btt:waybill", "bizTransaction": raw("waybill", waybill, COURIER)}
                ],
                quantityList=[
                    {"epcClass": f"https://id.gs1.org/01/{name[1:]}", "quantity": n}
                    for name, n in pieces.items()
                ],
            ),
        )

    async def aliased(self, system: CodeSystem, **serials: str) -> None:
        """Codes of another system, each on the item with a serial."""
        text = "code,item\n" + "".join(f"{code},{item(serial)}\n" for code, serial in serials.items())
        services, issuer = self.site.services, await self.deliverer("groene-wei")
        rows = rows_of_list(lambda: io.BytesIO(text.encode()))
        await import_aliases(services.pool, services.capture, system, rows, issuer)

    async def drawn(self, lot: str) -> str:
        """The serial of a label that was drawn at the table."""
        draw = {"gtin": GTIN, "lot": lot, "party_id": "haimen", "draw_id": str(uuid.uuid4())}
        return (await draw_label(self.site.services.pool, **draw))[1]

    async def short_lot(self, lot: str, *, codes: int, received: int) -> None:
        """A lot with codes of its own, of which so many pieces are reported here."""
        if codes:
            await _codes(self.site, GTIN, lot, codes)
        await self.say("haimen", of_lot("2026-02-02", received, lot=lot, bizStep="receiving"))


async def _codes(site: Site, gtin: str, lot: str, count: int) -> list[str]:
    services = site.services
    batch = await issue(
        services.pool, services.mac_keys, gtin=gtin, lot=lot, count=count, party_id="groene-wei"
    )
    return [serial async for part in iter_serials(services.pool, batch.batch_id) for serial in part]


async def warehouse(site: Site, language: str = "en", count: int = 20) -> Warehouse:
    """Two products, a lot at hand, a recalled lot, a voided code, a courier and somebody who packs."""
    pool = site.services.pool
    for party_id, en, zh, role, code in (
        ("groene-wei", "Groene Wei", "绿野乳业", "brand-owner", None),
        ("example-express", "Example Express", "示例快递", "courier", COURIER),
        ("nanyue", "Nanyue Broker", "南粤报关行", "customs-broker", None),
    ):
        await add_party(pool, Party(party_id=party_id, name_en=en, name_zh=zh, customs_code=code))
        await grant_role(pool, party_id, role)
    products = [
        Product(
            gtin=GTIN, name_zh="婴幼儿配方奶粉3段", name_en="Infant formula stage 3", owner_party="groene-wei"
        ),
        Product(
            gtin=OTHER_GTIN,
            name_zh="婴幼儿配方奶粉2段",
            name_en="Infant formula stage 2",
            owner_party="groene-wei",
        ),
    ]
    await put_products(pool, products, recorded_by="groene-wei")
    good = await _codes(site, GTIN, LOT, count)
    made = Warehouse(
        site,
        await site.person("packer", "haimen", "worker", language),
        good[1:],
        await _codes(site, GTIN, OLD_LOT, 2),
        await _codes(site, OTHER_GTIN, LOT, 2),
        good[0],
    )
    await void(pool, gtin=GTIN, lot=LOT, serials=[made.voided], party_id="groene-wei", reason="misprint")
    await made.say("groene-wei", of_lot("2026-02-01", 2, lot=OLD_LOT, disposition="recalled"))
    await made.say("haimen", of_lot("2026-02-01", count, lot=LOT, bizStep="receiving"))
    return made


def label(serial: str, gtin: str = GTIN) -> str:
    """What a scanner reads off a printed label."""
    return f"HTTPS://TRACE.EXAMPLE/01/{gtin}/21/{serial}"


def act(kind: str = "pack", *uris: str, **fields: Any) -> dict[str, Any]:
    """An act as the station sends it."""
    given = {"waybill": WAYBILL, "courier": COURIER} if kind == "pack" else {}
    return {
        "act_id": str(uuid.uuid4()),
        "kind": kind,
        "at": datetime.now(UTC).isoformat(),
        "parts": [{"uri": uri, "quantity": 0, "scan": str(uuid.uuid4())} for uri in uris],
        **given,
        **fields,
    }


async def send(client: httpx.AsyncClient, door: str, payload: Any, csrf: str | None = None) -> httpx.Response:
    """A payload as the station's page sends it."""
    token = csrf if csrf is not None else (await client.get("/console/pack/state")).json().get("csrf", "")
    return await client.post(f"/console/pack/{door}", data={"csrf": token, "payload": json.dumps(payload)})


__all__ = [
    "COURIER", "GTIN", "LOT", "OLD_LOT", "OTHER_GTIN", "OTHER_SKU", "SKU", "WAYBILL", "Warehouse", "act", "item",
    "label", "lot_class", "send", "warehouse",
]  # fmt: skip
