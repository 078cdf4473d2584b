"""What each CEB message states, as events. One record, one event; papers are never joined here.

Issuers of person documents: the platform (``ebpCode``) of an order, the payment firm of a payment, the
carrier of a waybill, the first four digits of its number (the customs district) of a parcel's list. A list
also has a number of the electronic port (``preNo``, issuer ``eport``) and one of the declaring firm
(``copNo``, issuer its ``agentCode``), both of the kind ``parcel-list-draft``; all that a record names stand in
its event, so that a receipt and a declaration meet by whichever they share. Where a message names an order
without its platform (511, 816), the issuer is empty. A draft (``appStatus`` 1) states nothing.
"""

from __future__ import annotations

from suyuan.canon import normal_decimal
from suyuan.customs.drafting import CBV_STEP, DISPOSITION, STEP, EventDraft, raw_uri
from suyuan.customs.message import Part
from suyuan.customs.states import PARCEL_LIST, disposition_of
from suyuan.customs.values import read_gtin
from suyuan.epcis.model import Action, Event, QuantityElement
from suyuan.epcis.reading import Warning_
from suyuan.errors import InputError

# UN/CEFACT Recommendation 20 for the customs units that measure; the others count.
_MEASURES = {
    "030": "MTR",
    "032": "MTK",
    "033": "MTQ",
    "035": "KGM",
    "036": "GRM",
    "070": "TNE",
    "095": "LTR",
    "096": "MLT",
}


def is_draft(draft: EventDraft) -> bool:
    """Whether the record is only a draft, which states nothing; says so in a warning."""
    if draft.value("appStatus") != "1":
        return False
    draft.warnings.append(
        Warning_(
            "customs.record.draft",
            draft.record.path,
            "The record is a draft (appStatus 1); it makes no event.",
        )
    )
    return True


def _action(draft: EventDraft) -> Action:
    """New and changed records add, deleted ones take back; a change says so in ``reportType``."""
    kind = draft.value("appType")
    if kind != "1":
        draft.text("reportType", kind)
    return "DELETE" if kind == "3" else "ADD"


def _quantities(lines: list[Part], draft: EventDraft) -> tuple[QuantityElement, ...]:
    """Lines with a valid GTIN as quantities of that class."""
    found = []
    for line in lines:
        gtin = read_gtin(line.value("barCode"))
        if gtin is None or draft.is_personal(gtin):
            continue
        try:
            quantity = normal_decimal(line.value("qty"))
        except InputError:
            continue
        found.append(
            QuantityElement(f"https://id.gs1.org/01/{gtin}", quantity, _MEASURES.get(line.value("unit")))
        )
    return tuple(found)


def _parcel_list(draft: EventDraft) -> None:
    """All numbers of the list of a parcel, and what may be shown of the customs number."""
    number = draft.value("invtNo")
    draft.person_document("parcel-list", number[:4], number)
    draft.person_document("parcel-list-draft", "eport", draft.value("preNo"))
    agent = draft.value("agentCode")
    if agent:
        # A firm's own number means nothing without the firm: two firms count alike.
        draft.person_document("parcel-list-draft", agent, draft.value("copNo"))
    if len(number) >= 12:
        draft.text("listDistrict", number[:4])
        draft.text("listLastFour", number[-4:])


def ceb311(draft: EventDraft) -> list[Event]:
    """An order on a platform: what was bought, for how much."""
    if is_draft(draft):
        return []
    head, lines = draft.record.head, draft.record.lines("OrderList")
    draft.person_document("order", head.value("ebpCode"), head.value("orderNo"))
    draft.numbers("goodsValue", "freight", "discount", "taxTotal", "acturalPaid")
    draft.texts("currency", "orderType", "ebpCode", "ebcCode", "batchNumbers")
    draft.stated_by_firm(head.value("ebpCode"))
    action = _action(draft)
    for line in lines:
        draft.line(
            {
                "lineNo": line.value("gnum"),
                "itemNo": line.value("itemNo"),
                "goodsName": line.value("itemName"),
                "gtin": read_gtin(line.value("barCode")) or "",
                "unit": line.value("unit"),
                "origin": line.value("country"),
            },
            {
                "quantity": line.value("qty"),
                "price": line.value("price"),
                "totalPrice": line.value("totalPrice"),
            },
        )
    return [
        draft.event(
            draft.moment(head.value("appTime"), "appTime"),
            step=STEP + "ordering",
            action=action,
            quantities=_quantities(lines, draft),
        )
    ]


def ceb411(draft: EventDraft) -> list[Event]:
    """A payment for an order."""
    if is_draft(draft):
        return []
    draft.person_document("payment", draft.value("payCode"), draft.value("payTransactionId"))
    draft.person_document("order", draft.value("ebpCode"), draft.value("orderNo"))
    draft.numbers("amountPaid")
    draft.texts("currency", "payCode", "ebpCode")
    draft.stated_by_firm(draft.value("payCode"))
    action = _action(draft)
    return [draft.event(draft.moment(draft.value("payTime"), "payTime"), step=STEP + "paying", action=action)]


def ceb511(draft: EventDraft) -> list[Event]:
    """A waybill for the parcel of an order; the message does not name the order's platform."""
    if is_draft(draft):
        return []
    draft.person_document("waybill", draft.value("logisticsCode"), draft.value("logisticsNo"))
    draft.person_document("order", "", draft.value("orderNo"))
    draft.document("bol", draft.value("billNo"), cbv="bol")
    draft.numbers("weight", "packNo", "freight", "insuredFee")
    draft.texts("currency", "logisticsCode")
    draft.stated_by_firm(draft.value("logisticsCode"))
    action = _action(draft)
    return [
        draft.event(
            draft.moment(draft.value("appTime"), "appTime"), step=STEP + "waybill_issued", action=action
        )
    ]


def ceb513(draft: EventDraft) -> list[Event]:
    """The state of a waybill; ``S`` is the recipient's signature, the end of the way."""
    if is_draft(draft):
        return []
    signed = draft.value("logisticsStatus") == "S"
    draft.texts("logisticsStatus", "logisticsCode")
    draft.stated_by_firm(draft.value("logisticsCode"))
    if _action(draft) == "DELETE":
        return []
    return [
        draft.event(
            draft.moment(draft.value("logisticsTime"), "logisticsTime"),
            step=CBV_STEP + ("arriving" if signed else "transporting"),
            disposition=DISPOSITION + "signed" if signed else None,
            epcs=(raw_uri("waybill", draft.value("logisticsCode"), draft.value("logisticsNo")),),
            is_object=True,
        )
    ]


def ceb621(draft: EventDraft) -> list[Event]:
    """The import list of one parcel is declared: its order, waybill, ledger items and goods."""
    if is_draft(draft):
        return []
    head, lines = draft.record.head, draft.record.lines("InventoryList")
    _parcel_list(draft)
    draft.person_document("order", head.value("ebpCode"), head.value("orderNo"))
    draft.person_document("waybill", head.value("logisticsCode"), head.value("logisticsNo"))
    draft.document("bol", head.value("billNo"), cbv="bol")
    draft.document("vessel-voyage", head.value("trafNo"), head.value("voyageNo"))
    draft.texts("tradeMode", "customsCode", "portCode", "trafMode", "trafNo", "voyageNo", "country", "ieFlag")
    draft.texts(
        "emsNo", "areaCode", "ebpCode", "ebcCode", "logisticsCode", "agentCode", "assureCode", "licenseNo"
    )
    draft.text("declarationDate", head.value("declTime"))
    draft.text("importDate", head.value("ieDate"))
    draft.numbers("grossWeight", "netWeight", "packNo", "freight", "insuredFee")
    draft.stated_by_firm(head.value("agentCode"))
    action = _action(draft)
    for line in lines:
        draft.line(
            {
                "lineNo": line.value("gnum"),
                "ledgerItem": draft.document("ledger-item", head.value("emsNo"), line.value("itemRecordNo")),
                "itemNo": line.value("itemNo"),
                "hsCode": line.value("gcode"),
                "goodsName": line.value("gname"),
                "goodsModel": line.value("gmodel"),
                "gtin": read_gtin(line.value("barCode")) or "",
                "origin": line.value("country"),
                "unit": line.value("unit"),
                "lawfulUnit": line.value("unit1"),
                "secondUnit": line.value("unit2"),
            },
            {
                "quantity": line.value("qty"),
                "lawfulQuantity": line.value("qty1"),
                "secondQuantity": line.value("qty2"),
                "price": line.value("price"),
                "totalPrice": line.value("totalPrice"),
            },
        )
    return [
        draft.event(
            draft.moment(head.value("appTime"), "appTime"),
            step=STEP + "declaring",
            action=action,
            disposition=DISPOSITION + "declared",
            district=head.value("customsCode"),
            quantities=_quantities(lines, draft),
        )
    ]


def _district(draft: EventDraft) -> str:
    return draft.value("customsCode") or draft.value("invtNo")[:4]


def ceb622(draft: EventDraft) -> list[Event]:
    """A receipt says that the list of a parcel has a state, e.g. 800 released."""
    _parcel_list(draft)
    if not draft.value("invtNo", "preNo") and not (draft.value("agentCode") and draft.value("copNo")):
        raise InputError(
            "customs.field.missing",
            "The receipt names no list: invtNo, preNo and copNo with agentCode are empty.",
            path=f"{draft.record.head.path}/invtNo",
            remedy="Send the receipt as the electronic port gave it.",
        )
    draft.texts("returnStatus", "returnTime", "customsCode", "ebpCode", "ebcCode", "agentCode")
    draft.stated_by_customs(_district(draft))
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "clearing",
            disposition=disposition_of(PARCEL_LIST, draft.value("returnStatus")),
            district=_district(draft),
        )
    ]


def ceb816(draft: EventDraft) -> list[Event]:
    """A tax bill for the list of a parcel; status 3 voids it."""
    head = draft.record.head
    draft.person_document("tax-bill", "", head.value("taxNo"))
    _parcel_list(draft)
    draft.person_document("waybill", head.value("logisticsCode"), head.value("logisticsNo"))
    draft.person_document("order", "", head.value("orderNo"))
    draft.text("taxStatus", head.value("status"))
    draft.texts("customsCode", "ebcCode", "logisticsCode", "agentCode", "assureCode", "entDutyNo")
    draft.numbers("customsTax", "valueAddedTax", "consumptionTax")
    draft.stated_by_customs(_district(draft))
    for line in draft.record.lines("TaxListRd"):
        draft.line(
            {"lineNo": line.value("gnum"), "hsCode": line.value("gcode")},
            {
                name: line.value(name)
                for name in ("taxPrice", "customsTax", "valueAddedTax", "consumptionTax")
            },
        )
    return [
        draft.event(
            draft.moment(head.value("returnTime"), "returnTime"),
            step=STEP + "taxing",
            action="DELETE" if head.value("status") == "3" else "ADD",
            district=_district(draft),
        )
    ]
