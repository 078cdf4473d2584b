"""What the page of a package, container, lot or paper shows beside its facts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from suyuan.capture.links import PERSON_KINDS, document_kind, document_number
from suyuan.compliance.consignment import Consignment
from suyuan.console.item_view import readable
from suyuan.console.links import thing_href
from suyuan.console.route_drawing import Drawing, Node, draw_papers
from suyuan.console.words import Pair, Voice
from suyuan.gs1.thing import kind as thing_kind
from suyuan.trace.model import Fact, Trace
from suyuan.trace.read import split_item
from suyuan.web.language import in_zone

MAX_NODES = 8
# How far from the goods a thing or paper stands: what is shown above and below in the drawing.
_RANK = {
    kind: rank
    for rank, kinds in enumerate(
        (
            ("item",),
            ("lot", "class", "package", "case"),
            ("sscc", "pallet", "packing-list", "parcel", "waybill", "order", "payment", "code-batch"),
            ("container", "seal", "tally", "stock-bill", "parcel-list", "parcel-list-draft", "tax-bill"),
            ("ledger-item",),
            ("inbound-detail", "inbound-detail-draft", "gate-pass", "gate-pass-preentry"),
            ("bonded-list", "bonded-list-draft", "bonded-list-preentry"),
            ("declaration", "declaration-unified"),
            ("quarantine", "certificate", "cert", "recall"),
            ("bol", "awb"),
            ("vessel-voyage", "flight", "mrn"),
        )
    )
    for kind in kinds
}

ABOUT: dict[str, Pair] = {
    "container": ("装运货物的集装箱。", "A container in which goods travel."),
    "sscc": ("托盘或其他物流单元。", "A pallet or another unit that is moved as one."),
    "lot": ("同一生产批次的全部商品。", "All items that were made as one lot."),
    "bol": ("海运承运人签发的提单。", "The sea carrier's receipt for the goods and claim to them."),
    "awb": (
        "航空运单，多人的包裹合并在同一单下。",
        "The air carrier's waybill; many people's parcels travel under it.",
    ),
    "declaration": ("向中国海关申报的进口报关单。", "The declaration of the goods to China's customs."),
    "declaration-unified": (
        "单一窗口给报关单的统一编号。",
        "The number that the single window gives a declaration.",
    ),
    "bonded-list": (
        "保税账册的核注清单：货物据此记入或核扣账册。",
        "The bonded list: goods enter or leave the bonded ledger by it.",
    ),
    "gate-pass": ("进出综合保税区卡口的核放单。", "The pass by which goods cross the zone's gate."),
    "ledger-item": ("保税账册中的一个项号。", "One item of the bonded ledger."),
    "certificate": ("检验或认证机构出具的证书。", "A certificate of an inspection body."),
    "recall": ("召回编号。", "A recall."),
    "quarantine": ("检验检疫编号。", "A quarantine inspection."),
    "tally": ("仓库的入库理货单。", "The warehouse's count of what came in."),
    "inbound-detail": (
        "监管场所的入库明细单：实到包裹清单。",
        "What a supervised site says arrived, parcel by parcel.",
    ),
    "parcel": ("寄给买家的包裹。", "A parcel to a buyer."),
    "order": ("买家的订单。", "A buyer's order."),
    "parcel-list": ("一个包裹的申报清单。", "The customs declaration of one parcel."),
    "vessel-voyage": ("船舶及航次。", "A ship and its voyage."),
    "flight": ("航班。", "A flight."),
    "mrn": ("出口国的报关号。", "The export declaration of the country of origin."),
}


class Figure(msgspec.Struct, frozen=True):
    """A number with its name; ``tone`` is empty or ``alarm``."""

    name: str
    value: str
    tone: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A thing with its page."""

    kind: str
    label: str
    href: str


def short_name(uri: str) -> str:
    """What a thing is called where its kind stands beside it: of a lot its number alone."""
    return split_item(uri)[2] or readable(uri)


def named(uri: str, voice: Voice) -> Named:
    """A thing or paper by name; a person's document without its number."""
    kind = thing_kind(uri)
    return Named(
        kind=voice.kind(kind),
        label=voice.say("编号已加密", "number sealed") if _is_sealed(uri) else short_name(uri),
        href=thing_href(uri),
    )


def _is_sealed(uri: str) -> bool:
    """Whether a thing is a person's document, whose number is not shown."""
    return document_kind(uri) in PERSON_KINDS


def span_figures(trace: Trace, voice: Voice) -> list[Figure]:
    """How much is said of it, and from when until when."""
    standing = [fact for fact in trace.facts if not fact.withdrawn]
    figures = [Figure(voice.say("记录", "records"), f"{len(trace.facts):,}")]
    if standing:
        first, last = (in_zone(fact.event_time, fact.zone_offset) for fact in (standing[0], standing[-1]))
        figures.append(Figure(voice.say("起止", "from – to"), voice.public.span(first, last)))
    return figures


def consignment_figures(found: Consignment, voice: Voice) -> list[Figure]:
    """Parcels that left and that arrived under an air waybill."""
    return [
        Figure(voice.say("集货包裹", "parcels consolidated"), f"{found.consolidated:,}"),
        Figure(voice.say("实到包裹", "parcels arrived"), f"{found.received:,}"),
        Figure(voice.say("短少", "short"), f"{found.missing:,}", "alarm" if found.missing else ""),
        Figure(voice.say("溢装", "surplus"), f"{found.surplus:,}", "alarm" if found.surplus else ""),
    ]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity that a fact states of a class of goods."""

    when: str
    step: str
    what: Named
    quantity: str
    position: int


def stated_quantities(trace: Trace, voice: Voice, limit: int = 24) -> list[Said]:
    """What was declared, arrived, was damaged: each quantity that a standing fact states."""
    from suyuan.web.headlines import step_headline

    rows = []
    for position, fact in enumerate(trace.facts, 1):
        if fact.withdrawn:
            continue
        for uri, figure, unit in fact.quantities:
            if figure:
                rows.append(
                    Said(
                        when=voice.public.date(in_zone(fact.event_time, fact.zone_offset)),
                        step=step_headline(fact, voice.public),
                        what=named(uri, voice),
                        quantity=f"{voice.quantity(figure)} {unit}".strip(),
                        position=position,
                    )
                )
    return rows[:limit]


def lots_of(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """GTIN and lot of the classes that the facts speak of, each once."""
    found: dict[tuple[str, str], None] = {}
    for fact in facts:
        for uri, _, _ in fact.quantities:
            if uri.startswith("https://id.gs1.org/01/") and "/10/" in uri:
                gtin, _, lot = uri.removeprefix("https://id.gs1.org/01/").partition("/10/")
                found[gtin, lot] = None
    return list(found)


def draw_around(trace: Trace, voice: Voice) -> Drawing | None:
    """The papers and packages that facts name together with the thing; None where there are none."""
    around: dict[str, str] = {}
    for fact in trace.facts:
        if fact.withdrawn:
            continue
        for document in fact.documents:
            # Internal and pre-entry numbers name the same papers once more.
            if document.kind.endswith(("-draft", "-preentry")):
                continue
            if document.kind not in PERSON_KINDS and document.uri != trace.thing:
                around.setdefault(document.uri or document.number, document.kind)
        for uri in (*(link.uri for link in fact.tie.links), *fact.things[:6]):
            kind = thing_kind(uri) if uri else ""
            if kind in _RANK and kind != "item" and not _is_sealed(uri) and uri != trace.thing:
                around.setdefault(uri, kind)
    centre = _RANK.get(trace.kind, 4)
    nearer = [(uri, kind) for uri, kind in around.items() if _RANK.get(kind, 4) < centre]
    farther = [(uri, kind) for uri, kind in around.items() if _RANK.get(kind, 4) >= centre]
    if not around:
        return None
    here = Node(voice.kind(trace.kind), named(trace.thing, voice).label)
    return draw_papers(
        here,
        _nodes(sorted(nearer, key=lambda one: _RANK.get(one[1], 4)), voice),
        _nodes(sorted(farther, key=lambda one: _RANK.get(one[1], 4)), voice),
        voice,
    )


def _nodes(around: list[tuple[str, str]], voice: Voice) -> list[Node]:
    nodes = [
        Node(
            voice.kind(kind),
            document_number(uri) if document_kind(uri) and kind != "container" else short_name(uri),
            thing_href(uri),
        )
        for uri, kind in around[:MAX_NODES]
    ]
    more = len(around) - MAX_NODES
    if more > 0:
        nodes.append(Node(voice.say("另有", "and more"), f"+{more:,}"))
    return nodes
