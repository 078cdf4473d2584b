"""What the messages about bonded lists (INV101, INV201, INV202, INV211) state, as events.

An exit list makes two events: one ties the list to its ledger items, one to its parcels' lists, since one
event with both would tie every parcel to every ledger item. Receipts are what customs states, after the
message; who delivered it is another matter.
"""

from __future__ import annotations

from suyuan.customs.drafting import DISPOSITION, STEP, EventDraft
from suyuan.customs.message import Part
from suyuan.customs.sas_statements import application_action, approval_of, declared_moment
from suyuan.customs.states import BONDED_LIST, disposition_of
from suyuan.epcis.model import Event
from suyuan.errors import InputError


def _goods_line(draft: EventDraft, line: Part, ledger: str, prefix_upper: bool) -> None:
    """One line of goods of a bonded list, whichever way its fields are capitalised."""

    def value(name: str) -> str:
        return line.value(name[0].upper() + name[1:] if prefix_upper else name)

    draft.line(
        {
            "lineNo": value("gdsSeqno"),
            "ledgerItem": draft.document("ledger-item", ledger, value("putrecSeqno")),
            "itemNo": value("gdsMtno"),
            "hsCode": value("gdecd"),
            "goodsName": value("gdsNm"),
            "goodsModel": value("gdsSpcfModelDesc"),
            "origin": value("natcd"),
            "unit": value("dclUnitcd"),
            "lawfulUnit": value("lawfUnitcd"),
            "secondUnit": value("secdLawfUnitcd"),
            "currency": value("dclCurrcd"),
        },
        {
            "quantity": value("dclQty"),
            "lawfulQuantity": value("lawfQty"),
            "secondQuantity": value("secdLawfQty"),
            "passedQuantity": value("actlPassQty"),
            "price": value("dclUprcAmt"),
            "totalPrice": value("dclTotalAmt"),
        },
    )


def _list_numbers(draft: EventDraft, number: str, preentry: str) -> None:
    draft.document("bonded-list", number)
    draft.document("bonded-list-preentry", preentry)
    # An internal number is unique within the firm that runs the business.
    draft.document(
        "bonded-list-draft",
        draft.value("BizopEtpsno", "bizopEtpsno"),
        draft.value("EtpsInnerInvtNo", "etpsInnerInvtNo"),
    )


def inv101(draft: EventDraft) -> list[Event]:
    """A bonded list is declared: ledger items with quantities, its declaration, where and in which mode."""
    head = draft.record.head
    _list_numbers(draft, head.value("BondInvtNo"), head.value("SeqNo"))
    draft.document("declaration", head.value("EntryNo"))
    draft.document("declaration", head.value("RltEntryNo"))
    draft.text("direction", head.value("ImpexpMarkcd"))
    for name, field in _LIST_TEXTS.items():
        upper = field[0].upper() + field[1:]
        draft.text(name, head.value(upper, "InvtType") if field == "bondInvtTypecd" else head.value(upper))
    draft.text("declarationDate", head.value("InvtDclTime"))
    draft.stated_by_firm(head.value("DclEtpsno"))
    kind = head.value("DclTypecd")
    if kind != "1":
        draft.text("reportType", kind)
    for line in draft.record.lines("InvtListType"):
        _goods_line(draft, line, head.value("PutrecNo"), prefix_upper=True)
    return [
        draft.event(
            declared_moment(draft, head.value("InvtDclTime"), "InvtDclTime"),
            step=STEP + "declaring",
            action=application_action(kind),
            disposition=DISPOSITION + "declared",
            district=head.value("DclPlcCuscd"),
        )
    ]


def inv101_parcels(draft: EventDraft) -> list[Event]:
    """An exit list names the lists of the parcels that leave under it."""
    head, parcels = draft.record.head, draft.record.lines("InvtCbecBillType")
    if not parcels:
        return []
    numbers = [parcel.value("CbecBillNo") for parcel in parcels]
    # At filing the list has no number yet; a parcel line may repeat it.
    _list_numbers(draft, head.value("BondInvtNo") or parcels[0].value("BondInvtNo"), head.value("SeqNo"))
    for number in numbers:
        draft.person_document("parcel-list", number[:4], number)
    draft.text("direction", head.value("ImpexpMarkcd"))
    draft.text("supervisionMode", head.value("SupvModecd"))
    draft.stated_by_firm(head.value("DclEtpsno"))
    return [
        draft.event(
            declared_moment(draft, head.value("InvtDclTime"), "InvtDclTime"),
            step=STEP + "declaring",
            action=application_action(head.value("DclTypecd")),
            disposition=DISPOSITION + "declared",
            district=head.value("DclPlcCuscd"),
        )
    ]


# Extension names of a bonded list's head and their fields.
_LIST_TEXTS = {
    "supervisionMode": "supvModecd",
    "transportMode": "trspModecd",
    "impexpPort": "impexpPortcd",
    "declarationPlace": "dclPlcCuscd",
    "dispatchCountry": "stshipTrsarvNatcd",
    "bondedListType": "bondInvtTypecd",
    "declarationFlag": "dclcusFlag",
    "declarationType": "dclcusTypecd",
    "relatedList": "rltInvtNo",
    "businessFirm": "bizopEtpsno",
    "receivingFirm": "rcvgdEtpsno",
    "declaringFirm": "dclEtpsno",
    "ledger": "putrecNo",
}
_RECEIPT_TEXTS = {
    "bondedListStatus": "invtStucd",
    "deductionMark": "vrfdedMarkcd",
    "deductionMode": "vrfdedModecd",
    "gateStatus": "invtIochkptStucd",
    "entryStatus": "entryStucd",
    "provisionalDeductionTime": "prevdTime",
    "formalDeductionTime": "formalVrfdedTime",
}


def _list_receipt(draft: EventDraft) -> None:
    head, approval = draft.record.head, approval_of(draft)
    number = head.value("bondInvtNo") or (approval.value("businessId") if approval is not None else "")
    if not number and not head.value("invtPreentNo"):
        raise InputError(
            "customs.field.missing",
            "The receipt names no bonded list: bondInvtNo and invtPreentNo are empty.",
            path=f"{head.path}/bondInvtNo",
            remedy="Send the receipt as customs gave it.",
        )
    _list_numbers(draft, number, head.value("invtPreentNo"))
    draft.document("declaration", head.value("entryNo"))
    draft.document("declaration", head.value("rltEntryNo"))
    draft.text("direction", head.value("impexpMarkcd"))
    for name, field in {**_LIST_TEXTS, **_RECEIPT_TEXTS}.items():
        draft.text(name, head.value(field))
    if approval is not None:
        draft.text("manageResult", approval.value("manageResult"))
    draft.stated_by_customs(head.value("dclPlcCuscd"))


def _receipt_lines(draft: EventDraft) -> None:
    for line in draft.record.lines("BondInvtDt"):
        _goods_line(draft, line, draft.value("putrecNo"), prefix_upper=False)


def inv201(draft: EventDraft) -> list[Event]:
    """Customs answers a bonded list: approved, rejected or deleted; deducted provisionally or not."""
    head, approval = draft.record.head, approval_of(draft)
    _list_receipt(draft)
    _receipt_lines(draft)
    decided = approval.value("manageDate") if approval is not None else ""
    return [
        draft.event(
            draft.moment(decided or head.value("prevdTime", "invtDclTime"), "manageDate"),
            step=STEP + "clearing",
            disposition=disposition_of(BONDED_LIST, head.value("invtStucd")),
            district=head.value("dclPlcCuscd"),
        )
    ]


def inv202(draft: EventDraft) -> list[Event]:
    """A declaration was drafted from a bonded list, or could not be."""
    head = draft.record.head
    drafted = head.value("manageResult") == "1"
    draft.document("bonded-list", head.value("businessId"))
    draft.document("bonded-list-preentry", head.value("invPreentNo"))
    if drafted:
        draft.document("declaration-unified", head.value("entrySeqNo"))
    draft.text("manageResult", head.value("manageResult"))
    draft.stated_by_customs("")
    return [
        draft.event(
            draft.moment(head.value("createDate"), "createDate"),
            step=STEP + "clearing",
            action="ADD" if drafted else "OBSERVE",
            disposition=DISPOSITION + ("declaration_drafted" if drafted else "declaration_failed"),
        )
    ]


def inv211(draft: EventDraft) -> list[Event]:
    """Customs deducted a bonded list for good: the ledger items and what came in under them.

    Ledger entries (``BwsDt``) say what came in. On entry they are the list's lines, so that its own would
    count twice; on exit the list's own lines say what went out and the ledger's total is no quantity of it.
    """
    head, entries = draft.record.head, draft.record.lines("BwsDt")
    is_entry = head.value("impexpMarkcd") == "I"
    _list_receipt(draft)
    if not (is_entry and entries):
        _receipt_lines(draft)
    for line in entries:
        draft.line(
            {
                "lineNo": line.value("invtGNo"),
                "ledgerItem": draft.document("ledger-item", line.value("bwsNo"), line.value("gdsSeqno")),
                "itemNo": line.value("gdsMtno"),
                "hsCode": line.value("gdecd"),
                "goodsName": line.value("gdsNm"),
                "goodsModel": line.value("gdsSpcfModelDesc"),
                "origin": line.value("natcd"),
                "unit": line.value("dclUnitcd"),
                "lawfulUnit": line.value("lawfUnitcd"),
                "inDate": line.value("inDate"),
                "limitDate": line.value("limitDate"),
            },
            {
                ("quantity" if is_entry else "ledgerQuantity"): line.value("inQty"),
                "lawfulQuantity": line.value("inLawfQty"),
                "secondQuantity": line.value("inSecdLawfQty"),
                "increasedQuantity": line.value("actlIncQty"),
                "reducedQuantity": line.value("actlRedcQty"),
                "provisionalIncrease": line.value("prevdIncQty"),
                "provisionalReduction": line.value("prevdRedcQty"),
            },
        )
    approval = approval_of(draft)
    decided = approval.value("manageDate") if approval is not None else ""
    return [
        draft.event(
            draft.moment(head.value("formalVrfdedTime") or decided, "formalVrfdedTime"),
            step=STEP + "clearing",
            disposition=DISPOSITION + "deducted",
            district=head.value("dclPlcCuscd"),
        )
    ]
