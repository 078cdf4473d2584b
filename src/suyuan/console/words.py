"""Words of the console in both languages, side by side where they are used.

Sentences that the public page says as well (steps, roles, assurance, dates) come from ``web``'s catalogue through
``Voice.public``; what only the console says stands as a pair, Chinese and English.
"""

from __future__ import annotations

from functools import cache

from suyuan.web.language import Language, language
from suyuan.web.wording import DOCUMENTS, ROLES, plain

Pair = tuple[str, str]


class Voice:
    """One language as the console's views use it."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.public: Language = language(code)
        self.chinese = self.public.chinese

    def say(self, chinese: str, english: str, **values: object) -> str:
        """One of the two sentences, with its named values filled in (``{name}``)."""
        text = chinese if self.chinese else english
        return text.format_map(values) if values else text

    def pair(self, pair: Pair, **values: object) -> str:
        """``say`` of a pair that was kept as data."""
        return self.say(pair[0], pair[1], **values)

    def count(self, n: int, chinese: str, one: str, many: str) -> str:
        """A number with what it counts; ``{n}`` is the number, grouped."""
        return self.say(chinese, one if n == 1 else many, n=f"{n:,}")

    def kind(self, kind: str) -> str:
        """What a kind of thing or paper is called; an unlisted one by its own name."""
        if kind in KINDS:
            return self.pair(KINDS[kind])
        return self.public.t(DOCUMENTS[kind]) if kind in DOCUMENTS else plain(kind)

    def role(self, role: str) -> str:
        """What a role is called."""
        role = role.replace("_", "-")
        return self.public.t(ROLES[role]) if role in ROLES else plain(role)

    def state(self, state: str) -> str:
        """Where a thing stands in its life."""
        return self.pair(STATES[state]) if state in STATES else state

    def quantity(self, figure: str) -> str:
        """A figure with its thousands apart; a dash where nothing is known."""
        if not figure:
            return "–"
        whole, dot, rest = figure.partition(".")
        sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
        return f"{sign}{int(digits):,}{dot}{rest}" if digits.isdigit() else figure


@cache
def voice_of(code: str) -> Voice:
    """The shared ``Voice`` of a language code of the public pages."""
    return Voice(code)


KINDS: dict[str, Pair] = {
    "item": ("单品", "Item"),
    "lot": ("批次", "Lot"),
    "class": ("商品", "Product"),
    "sscc": ("托盘（SSCC 物流单元）", "Pallet or logistic unit (SSCC)"),
    "container": ("集装箱", "Container"),
    "parcel": ("包裹", "Parcel"),
    "waybill": ("运单", "Waybill"),
    "vessel": ("船舶", "Vessel"),
    "location": ("地点", "Place"),
    "party": ("参与方", "Party"),
    "case": ("箱", "Case"),
    "package": ("箱", "Case"),
    "pallet": ("托盘", "Pallet"),
    "order": ("订单", "Order"),
    "payment": ("支付单", "Payment"),
    "parcel-list": ("申报清单", "Parcel declaration (清单)"),
    "parcel-list-draft": ("申报清单内部编号", "Parcel declaration, internal no."),
    "tax-bill": ("税单", "Tax bill"),
    "declaration": ("报关单", "Customs declaration"),
    "declaration-unified": ("报关单统一编号", "Customs unified no."),
    "bonded-list": ("核注清单", "Bonded list"),
    "bonded-list-preentry": ("核注清单预录入编号", "Bonded list pre-entry no."),
    "bonded-list-draft": ("核注清单内部编号", "Bonded list, internal no."),
    "gate-pass": ("核放单", "Gate pass"),
    "gate-pass-preentry": ("核放单预录入编号", "Gate pass pre-entry no."),
    "ledger-item": ("账册项号", "Ledger item"),
    "inbound-detail": ("入库明细单", "Inbound detail"),
    "inbound-detail-draft": ("入库明细单内部编号", "Inbound detail, internal no."),
    "bol": ("提单", "Bill of lading"),
    "awb": ("航空运单", "Air waybill"),
    "vessel-voyage": ("船名航次", "Vessel and voyage"),
    "flight": ("航班", "Flight"),
    "mrn": ("出口报关号（MRN）", "Export declaration (MRN)"),
    "quarantine": ("检验检疫", "Quarantine"),
    "tally": ("理货单", "Warehouse tally"),
    "certificate": ("证书", "Certificate"),
    "cert": ("证书", "Certificate"),
    "recall": ("召回", "Recall"),
    "seal": ("封志", "Seal"),
    "packing-list": ("装箱单", "Packing list"),
    "stock-bill": ("仓单", "Warehouse bill"),
    "code-batch": ("码批次", "Code batch"),
    "label": ("其他机构的标签", "Label of another firm"),
}

STATES: dict[str, Pair] = {
    "unknown": ("未知", "not known"),
    "issued": ("已发码，未启用", "issued, not in use"),
    "printed": ("已印制，未启用", "printed, not in use"),
    "commissioned": ("已赋码", "on the goods"),
    "packed": ("已装箱", "packed"),
    "loaded": ("已装载", "loaded"),
    "in transit": ("运输途中", "in transit"),
    "arrived": ("已到达", "arrived"),
    "received": ("已收货", "received"),
    "stored": ("在库", "in storage"),
    "active": ("已激活", "active"),
    "packed for the buyer": ("已为买家打包", "packed for the buyer"),
    "dispatched": ("派送途中", "on the way to the buyer"),
    "delivered": ("已签收", "delivered"),
    "sold": ("已售出", "sold"),
    "returned": ("已退货", "returned"),
    "damaged": ("已损坏", "damaged"),
    "destroyed": ("已销毁", "destroyed"),
    "voided": ("已作废", "voided"),
    "recalled": ("已召回", "recalled"),
}
