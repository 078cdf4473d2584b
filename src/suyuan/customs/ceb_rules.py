"""What each CEB message states, as events. One record, one event; papers are never joined here.

A draft (``appStatus`` 1) states nothing.
"""

from __future__ import annotations

from suyuan.canon import normal_decimal
from suyuan.customs.ceb_statements import (
    district_of,
    is_draft,
    named_parcel_list,
    parcel_list_numbers,
    report_action,
    transport_bill,
    voyage,
)
from suyuan.customs.drafting import CBV_STEP, DISPOSITION, STEP, EventDraft, raw_uri
from suyuan.customs.message import Part
from suyuan.customs.states import PARCEL_LIST, TAX_BILL, disposition_of
from suyuan.customs.values import read_gtin
from suyuan.epcis.model import Event, QuantityElement
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


def ceb311(draft: EventDraft) -> list[Event]:
    """An order on a platform: what was bought, for how much."""
    if is_draft(draft):
        return []
    head, lines = draft.record.head, draft.record.lines("OrderList")
    draft.person_document("order", head.value("ebpCode"), head.value("orderNo"))
    draft.numbers("goodsValue", "freight", "discount", "taxTotal", "acturalPaid")
    draft.texts("currency", "orderType", "ebpCode", "ebcCode", "batchNumbers")
    draft.stated_by_firm(head.value("ebpCode"))
    action = report_action(draft)
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
    action = report_action(draft)
    return [draft.event(draft.moment(draft.value("payTime"), "payTime"), step=STEP + "paying", action=action)]


def ceb511(draft: EventDraft) -> list[Event]:
    """A waybill for the parcel of an order; the message does not name the order's platform."""
    if is_draft(draft):
        return []
    draft.person_document("waybill", draft.value("logisticsCode"), draft.value("logisticsNo"))
    draft.person_document("order", "", draft.value("orderNo"))
    transport_bill(draft)
    draft.numbers("weight", "packNo", "freight", "insuredFee")
    draft.texts("currency", "logisticsCode")
    draft.stated_by_firm(draft.value("logisticsCode"))
    action = report_action(draft)
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
    if report_action(draft) == "DELETE":
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
    parcel_list_numbers(draft)
    draft.person_document("order", head.value("ebpCode"), head.value("orderNo"))
    draft.person_document("waybill", head.value("logisticsCode"), head.value("logisticsNo"))
    transport_bill(draft)
    voyage(draft)
    draft.texts("tradeMode", "customsCode", "portCode", "trafMode", "trafNo", "voyageNo", "country", "ieFlag")
    draft.texts(
        "emsNo", "areaCode", "ebpCode", "ebcCode", "logisticsCode", "agentCode", "assureCode", "licenseNo"
    )
    draft.text("declarationDate", head.value("declTime"))
    draft.text("importDate", head.value("ieDate"))
    draft.numbers("grossWeight", "netWeight", "packNo", "freight", "insuredFee")
    draft.stated_by_firm(head.value("agentCode"))
    action = report_action(draft)
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


def ceb622(draft: EventDraft) -> list[Event]:
    """A receipt says that the list of a parcel has a state, e.g. 800 released."""
    named_parcel_list(draft)
    draft.texts("returnStatus", "returnTime", "customsCode", "ebpCode", "ebcCode", "agentCode")
    draft.stated_by_customs(district_of(draft))
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "clearing",
            disposition=disposition_of(PARCEL_LIST, draft.value("returnStatus")),
            district=district_of(draft),
        )
    ]


def ceb816(draft: EventDraft) -> list[Event]:
    """A tax bill for the list of a parcel; status 3 voids it."""
    head = draft.record.head
    draft.person_document("tax-bill", "", head.value("taxNo"))
    parcel_list_numbers(draft)
    draft.person_document("waybill", head.value("logisticsCode"), head.value("logisticsNo"))
    draft.person_document("order", "", head.value("orderNo"))
    draft.text("taxStatus", head.value("status"))
    draft.texts("customsCode", "ebcCode", "logisticsCode", "agentCode", "assureCode", "entDutyNo")
    draft.numbers("customsTax", "valueAddedTax", "consumptionTax")
    draft.stated_by_customs(district_of(draft))
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
            district=district_of(draft),
        )
    ]


def ceb818(draft: EventDraft) -> list[Event]:
    """A receipt says what became of a tax bill: consolidated into a payment, or void."""
    draft.person_document("tax-bill", "", draft.value("taxNo"))
    parcel_list_numbers(draft)
    draft.text("taxStatus", draft.value("status"))
    draft.texts("assureCode", "entDutyNo")
    draft.stated_by_customs(district_of(draft))
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "taxing",
            action="DELETE" if draft.value("status") == "3" else "OBSERVE",
            disposition=disposition_of(TAX_BILL, draft.value("status")),
            district=district_of(draft),
        )
    ]
