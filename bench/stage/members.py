"""The members of the bench's deployment, and what its catalogue knows."""

from __future__ import annotations

from suyuan.app import Services
from suyuan.catalog import Place, Product, put_places, put_products
from suyuan.parties.members import Party, add_party
from suyuan.parties.roles import grant_role
from suyuan.parties.tokens import create_token

GTIN = "08710000001236"
CASE_GTIN = "18710000001233"
MEMBERS: dict[str, tuple[str, str, str, str]] = {
    "bench-maker": ("brand-owner", "Bench Dairy B.V.", "基准乳业有限公司", "NL"),
    "bench-forwarder": ("forwarder", "Bench Freight B.V.", "基准货运有限公司", "NL"),
    "bench-broker": ("customs-broker", "Bench Customs Broker", "基准报关行有限公司", "CN"),
    "bench-warehouse": ("bonded-warehouse", "Bench Bonded Logistics", "基准保税物流有限公司", "CN"),
    "bench-courier": ("courier", "Bench Express", "基准速运有限公司", "CN"),
}
PLACES: dict[str, tuple[str, str, str, str, str]] = {
    "urn:suyuan:place:NLZWO": ("Bench plant", "基准工厂", "Zwolle", "兹沃勒", "NL"),
    "urn:suyuan:place:NLRTM": ("Port of Rotterdam", "鹿特丹港", "Rotterdam", "鹿特丹", "NL"),
    "urn:suyuan:place:CNNSA:5165": ("Nansha bonded port", "南沙综合保税区", "Guangzhou", "广州", "CN"),
    "urn:suyuan:place:CNCTU": ("Chengdu station", "成都站", "Chengdu", "成都", "CN"),
}


async def add_members(services: Services) -> None:
    """Parties with their roles, the product and the places, as an operator would set them up."""
    for party_id, (role, name_en, name_zh, country) in MEMBERS.items():
        await add_party(
            services.pool, Party(party_id=party_id, name_en=name_en, name_zh=name_zh, country=country)
        )
        await grant_role(services.pool, party_id, role)
    product = Product(
        gtin=GTIN,
        name_zh="基准婴幼儿配方奶粉3段 800克",
        name_en="Bench infant formula stage 3 800 g",
        brand_zh="基准",
        brand_en="Bench",
        producer="bench-maker",
        owner_party="bench-maker",
        origin_country="NL",
        net_content="800 g",
        category="infant formula",
        hs_code="1901101000",
    )
    await put_products(services.pool, [product], recorded_by="bench-maker")
    places = [
        Place(
            uri=uri,
            name_en=name_en,
            name_zh=name_zh,
            city_en=city_en,
            city_zh=city_zh,
            country=country,
            unlocode=uri.split(":")[3],
        )
        for uri, (name_en, name_zh, city_en, city_zh, country) in PLACES.items()
    ]
    await put_places(services.pool, places, recorded_by="bench-maker")


async def capture_token(services: Services, party_id: str) -> str:
    """A token with which ``party_id`` may deliver papers."""
    _, secret = await create_token(services.pool, party_id, ["capture", "epcis.read"])
    return secret
