"""Sample traces for the rendering tests: the bonded consignment of infant formula as the public sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from suyuan.compliance.model import Coverage, Leg
from suyuan.trace.model import (
    Ambiguity,
    Correction,
    Document,
    Fact,
    Party,
    Place,
    Recall,
    Tie,
    TieLink,
    Trace,
)
from suyuan.web.model import PageSettings, ProofSummary, ScanSummary

GTIN = "08710000001236"
SERIAL = "07K3M9QWX2RTZ4VBN8CD"
URI = f"https://id.gs1.org/01/{GTIN}/21/{SERIAL}"
SETTINGS = PageSettings(
    base_url="https://sy.example.cn",
    operator_en="Example Mall trace service",
    operator_zh="示例商城溯源服务",
    report_url="mailto:trace@example.cn",
    icp_number="粤ICP备00000000号-1",
)
CBV = "https://ref.gs1.org/cbv/BizStep-"
OWN = "urn:suyuan:bizstep:"


def _party(party_id: str, en: str, zh: str, role: str) -> Party:
    return Party(party_id=party_id, name_en=en, name_zh=zh, role=role)


DAIRY = _party("groene-wei", "Groene Wei Dairy B.V.", "绿野乳业（荷兰）", "manufacturer")
BRAND = _party("groene-wei-brand", "Groene Wei", "绿野", "brand-owner")
LAB = _party("groene-wei-qa", "Groene Wei QA", "绿野品控实验室", "laboratory")
CCIC_EU = _party("ccic-europe", "CCIC Europe", "中检欧洲", "inspector")
CCIC_GD = _party("ccic-gd", "CCIC Guangdong", "中检广东", "inspector")
RHINE = _party("rhine-freight", "Rhine Freight", "莱茵货运", "forwarder")
CARRIER = _party("cosco", "COSCO", "中远海运", "carrier")
BROKER = _party("nanyue", "Nanyue Customs Broker", "南粤报关行", "customs-broker")
WAREHOUSE = _party("haimen", "Haimen Bonded Logistics", "海门保税物流", "bonded-warehouse")
COURIER = _party("example-express", "Example Express", "示例速运", "courier")
PLATFORM = _party("example-mall", "Example Mall", "示例商城", "platform")


def _place(uri: str, en: str, zh: str, city_en: str, city_zh: str, country: str, code: str) -> Place:
    return Place(
        uri=uri, name_en=en, name_zh=zh, city_en=city_en, city_zh=city_zh, country=country, unlocode=code
    )


PLANT = _place("urn:suyuan:place:NLZWO", "Zwolle plant", "兹沃勒工厂", "Zwolle", "兹沃勒", "NL", "NLZWO")
ROTTERDAM = _place(
    "urn:suyuan:place:NLRTM", "Port of Rotterdam", "鹿特丹港", "Rotterdam", "鹿特丹", "NL", "NLRTM"
)
PORT = _place("urn:suyuan:place:CNNSA:5166", "Nansha port", "南沙新港", "Nansha", "南沙", "CN", "CNNSA")
ZONE = _place(
    "urn:suyuan:place:CNNSA:5165", "Nansha bonded zone", "南沙综合保税区", "Nansha", "南沙", "CN", "CNNSA"
)
CHENGDU = _place("urn:suyuan:place:CNCTU", "", "", "Chengdu", "成都", "CN", "CNCTU")

CASE = TieLink(kind="package", uri="", label="(01)18710000001233(21)C7")
PALLET = TieLink(kind="pallet", uri="", label="(00)087100000000000123")
CONTAINER = TieLink(kind="container", uri="", label="COSU9876546")
LOT = TieLink(kind="lot", uri="", label="L25216A")
TIES = {
    "direct": Tie(kind="direct"),
    "lot": Tie(kind="lot", links=(LOT,)),
    "pallet": Tie(kind="containment", links=(CASE, PALLET)),
    "container": Tie(kind="containment", links=(CASE, PALLET, CONTAINER)),
    "document": Tie(kind="document"),
    "parcel": Tie(kind="containment", links=(TieLink(kind="waybill", uri="", label=""),)),
}


def fact(
    when: str,
    offset: str,
    step: str,
    party: Party,
    place: Place | None,
    assurance: str = "self-declared",
    *,
    tie: str = "direct",
    papers: tuple[tuple[str, str], ...] = (),
    index: int | None = 0,
    **more: object,
) -> Fact:
    """One fact; ``when`` is local time at ``offset``."""
    moment = datetime.fromisoformat(when + offset).astimezone(UTC)
    values: dict[str, object] = {
        "event_key": 0,
        "event_id": None,
        "log_index": index,
        "event_type": "ObjectEvent",
        "action": "OBSERVE",
        "biz_step": step,
        "disposition": "",
        "event_time": moment,
        "zone_offset": offset,
        "day_precision": False,
        "record_time": moment + timedelta(hours=3),
        "place": place,
        "party": party,
        "stated_by": "",
        "assurance": assurance,
        "corroborations": 0,
        "conflicts": 0,
        "documents": tuple(Document(kind=kind, uri="", number=number) for kind, number in papers),
        "tie": TIES[tie],
        "corrections": (),
        "message": "",
        "rule": "",
        "capture_id": "",
        "things": (),
        "quantities": (),
        "attributes": {},
    }
    return Fact(**{**values, **more})  # type: ignore[arg-type]


CUSTOMS = "urn:suyuan:authority:customs:5165"
RELEASED = "urn:suyuan:disp:released"
LIST = {"listDistrict": "5165", "listLastFour": "0123"}


def journey_facts() -> tuple[Fact, ...]:
    """The public facts of the journey, as a mask leaves them."""
    eu, cn = "+02:00", "+08:00"
    bonded, declared = ("bonded-list", "QD516525I000012345"), ("declaration", "516620251000123456")
    facts = [
        fact("2025-08-04T09:10", eu, CBV + "commissioning", DAIRY, PLANT, tie="lot"),
        fact("2025-08-06T14:00", eu, CBV + "inspecting", LAB, PLANT, tie="lot",
             papers=(("certificate", "COA-L25216A"),), attributes={"result_en": "pass", "result_zh": "合格"}),
        fact("2025-08-11T10:00", eu, CBV + "inspecting", CCIC_EU, PLANT, "inspected", tie="lot",
             papers=(("certificate", "CCIC-EU-2025-004417"),)),
        fact("2025-08-12T08:00", eu, CBV + "commissioning", BRAND, PLANT),
        fact("2025-08-13T11:30", eu, CBV + "packing", RHINE, PLANT, tie="pallet"),
        fact("2025-08-14T13:20", eu, CBV + "loading", CCIC_EU, PLANT, "inspected", tie="container",
             papers=(("seal", "NL4471902"),)),
        fact("2025-08-18T16:00", eu, CBV + "departing", CARRIER, ROTTERDAM, tie="container",
             papers=(("bol", "COSU6390001234"), ("mrn", "25NL00051012345678"))),
        fact("2025-08-20T05:40", eu, CBV + "departing", CARRIER, ROTTERDAM, tie="container",
             papers=(("vessel-voyage", "COSCO EXAMPLE / 045E"),), corroborations=1),
        fact("2025-09-24T07:15", cn, CBV + "arriving", CARRIER, PORT, tie="container",
             papers=(("bol", "COSU6390001234"),)),
        fact("2025-09-25T10:05", cn, OWN + "declaring", BROKER, PORT, tie="document", papers=(bonded,),
),
        fact("2025-09-25T15:40", cn, OWN + "clearing", BROKER, PORT, "relayed", tie="document",
             papers=(declared,), disposition=RELEASED, stated_by="urn:suyuan:authority:customs:5166"),
        fact("2025-09-25T16:10", cn, CBV + "inspecting", BROKER, PORT, "relayed", tie="lot",
             papers=(("quarantine", "125000005012345"),), stated_by="urn:suyuan:authority:customs:5166"),
        fact("2025-09-26T09:30", cn, CBV + "arriving", WAREHOUSE, ZONE, tie="container",
             papers=(("gate-pass", "Z5165I250926000000000012"),)),
        fact("2025-09-26T14:00", cn, CBV + "unpacking", WAREHOUSE, ZONE, tie="pallet",
             papers=(("tally", "WMS-IN-20250926-0031"),)),
        fact("2025-09-28T10:00", cn, CBV + "inspecting", CCIC_GD, ZONE, "inspected", tie="lot",
             papers=(("certificate", "CCIC-GD-2025-118820"),)),
        fact("2025-09-28T10:00", cn, OWN + "activating", CCIC_GD, ZONE, "inspected"),
        fact("2025-10-08T20:25:11", cn, OWN + "declaring", BROKER, ZONE, tie="document",
             papers=(("parcel-list", ""),), attributes=LIST,),
        fact("2025-10-08T20:26:58", cn, OWN + "clearing", BROKER, ZONE, "relayed", tie="document",
             papers=(("parcel-list", ""),), attributes=LIST, disposition=RELEASED, stated_by=CUSTOMS),
        fact("2025-10-08T21:40", cn, CBV + "packing", WAREHOUSE, ZONE),
        fact("2025-10-09T06:10", cn, CBV + "departing", WAREHOUSE, ZONE, tie="parcel",
             papers=(("gate-pass", "Z5165E251009000000000345"),)),
        fact("2025-10-09T18:00", cn, OWN + "clearing", BROKER, ZONE, "relayed", tie="document",
             papers=(("bonded-list", "QD516525E000054321"),), disposition="urn:suyuan:disp:approved",
             stated_by=CUSTOMS),
        fact("2025-10-11T11:32", cn, CBV + "arriving", COURIER, CHENGDU, tie="parcel",
             disposition="urn:suyuan:disp:signed"),
        fact("2025-10-11T19:05", cn, OWN + "verifying", PLATFORM, None),
        fact("2025-10-23T23:59:59", cn, OWN + "taxing", BROKER, None, "relayed", tie="document",
             day_precision=True, stated_by=CUSTOMS),
    ]  # fmt: skip
    return tuple(
        msgspec.structs.replace(f, log_index=None if f.log_index is None else 1200 + n)
        for n, f in enumerate(facts)
    )


PRODUCT = {
    "name_en": "Infant formula, stage 3, 800 g",
    "name_zh": "婴幼儿配方奶粉 3段 800克",
    "name_original": "Opvolgmelk 3, 800 g",
    "brand_en": "Groene Wei",
    "brand_zh": "绿野 Groene Wei",
    "origin_en": "Netherlands",
    "origin_zh": "荷兰",
    "producer_en": "Groene Wei Dairy B.V., Zwolle",
    "producer_zh": "绿野乳业（荷兰兹沃勒）",
    "agent_en": "Yuehai Food Import Co., Ltd.",
    "agent_zh": "粤海食品进口有限公司",
    "production_date": "2025-08-04",
    "best_before": "2027-08-03",
}


def trace(**changes: object) -> Trace:
    """The item's public trace, with changes."""
    values: dict[str, object] = {
        "thing": URI,
        "kind": "item",
        "gtin": GTIN,
        "serial": SERIAL,
        "lot": "L25216A",
        "state": "active",
        "audience": "public",
        "product": PRODUCT,
        "facts": journey_facts(),
        "ambiguities": (),
        "recall": None,
    }
    return Trace(**{**values, **changes})  # type: ignore[arg-type]


def recall() -> Recall:
    """The recall of the lot."""
    return Recall(
        number="RC-2025-0007",
        since=datetime(2025, 11, 3, 1, 0, tzinfo=UTC),
        zone_offset="+08:00",
        party=BRAND,
        reason="个别罐体密封不良 / Some tins may not be sealed well",
        lot="L25216A",
    )


_LEGS = (
    ("load", "Loaded at origin", "境外装箱", "inspector"),
    ("export", "Export clearance", "境外出口报关", "carrier"),
    ("depart", "Departure from the foreign port", "境外启运", "carrier"),
    ("arrive", "Arrival at the entry port", "抵达进境口岸", "carrier"),
    ("entry-list", "Bonded entry list", "进境核注清单", "customs-broker"),
    ("declaration", "Import declaration released", "进境报关单放行", "customs-broker"),
    ("quarantine", "Entry quarantine", "进境检验检疫", "customs-broker"),
    ("gate-in", "Entry into the bonded zone", "入区过卡", "bonded-warehouse"),
    ("tally", "Counted in the warehouse", "入库理货", "bonded-warehouse"),
    ("arrival-check", "Check on arrival", "到货查验", "inspector"),
    ("order", "Order", "订单", "platform"),
    ("waybill", "Waybill", "运单", "courier"),
    ("list", "Parcel declared", "清单申报", "customs-broker"),
    ("release", "Parcel released", "清单放行", "customs-broker"),
    ("pack", "Packed for the buyer", "拣货打包", "bonded-warehouse"),
    ("gate-out", "Exit from the bonded zone", "出区过卡", "bonded-warehouse"),
    ("exit-list", "Bonded exit list", "出区核注清单", "customs-broker"),
    ("signed", "Signed for by the buyer", "买家签收", "courier"),
)


def coverage(states: dict[str, str] | None = None) -> Coverage:
    """Coverage with all legs present but for ``states`` (leg code -> state)."""
    states = states or {}
    legs = tuple(
        Leg(
            code=code,
            name_en=en,
            name_zh=zh,
            owed_by=role,
            state=states.get(code, "present"),  # type: ignore[arg-type]
            due=datetime(2025, 10, 10, tzinfo=UTC) if code in states else None,
            facts=(),
            assurance="self-declared",
        )
        for code, en, zh, role in _LEGS
    )
    return Coverage(mode="1210", profile="486", legs=legs, findings=(), assurance_counts={})


PROOF = ProofSummary(
    origin="sy.example.cn/log",
    tree_size=48213,
    root_hash="3q2+7w==",
    checkpoint="sy.example.cn/log\n48213\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n"
    "— sy.example.cn/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URY"
    "N7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n",
    log_key="sy.example.cn/log+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    published_at=datetime(2025, 11, 24, 3, 50, tzinfo=UTC),
    witnesses=2,
)
SCANS_FIRST = ScanSummary(count=1)
SCANS_MANY = ScanSummary(
    count=3,
    first_at=datetime(2025, 10, 11, 11, 5, tzinfo=UTC),
    first_city_en="Chengdu",
    first_city_zh="成都",
)
SCANS_SUSPICIOUS = ScanSummary(
    count=41,
    tier="suspicious",
    reasons_en=("It was checked in two distant cities within one hour.",),
    reasons_zh=("一小时内在两个相距很远的城市被查询。",),
)
AMBIGUITY = Ambiguity(
    code="trace.consignment.open",
    reason_en="Two consignments of this lot were in the warehouse; the records do not say which one it was.",
    reason_zh="该批次有两批货同时在库，记录未说明本件属于哪一批。",
    candidates=(),
)


def corrected() -> Trace:
    """A trace with a withdrawn fact, a fact that is not logged yet, a conflict and an ambiguity."""
    facts = list(journey_facts())
    facts[8] = msgspec.structs.replace(
        facts[8],
        corrections=(
            Correction(
                party=CARRIER,
                declared_at=datetime(2025, 9, 25, 2, 0, tzinfo=UTC),
                reason="wrong berth / 泊位有误",
            ),
        ),
    )
    facts[-3] = msgspec.structs.replace(facts[-3], log_index=None)
    facts[-2] = msgspec.structs.replace(facts[-2], log_index=None, conflicts=1)
    return trace(facts=tuple(facts), ambiguities=(AMBIGUITY,))
