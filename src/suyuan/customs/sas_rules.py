"""What each SAS message of the bonded zone states, as events.

An exit list makes two events: one ties the list to its ledger items, one to its parcels' lists, since one
event with both would tie every parcel to every ledger item. Receipts are what customs states, after the
message; who delivered it is another matter. Container numbers are things (``urn:epc:id:bic:``); those of a
wrong form are kept in the evidence only.
"""

from __future__ import annotations

import re

from suyuan.customs.ceb_rules import CBV_DISPOSITION, DISPOSITION, STEP
from suyuan.customs.drafting import CBV_STEP, EventDraft
from suyuan.customs.message import Part
from suyuan.customs.values import Moment, read_time
from suyuan.epcis.model import Action, Event
from suyuan.errors import InputError
from suyuan.gs1.check_digits import container_valid

_SEPARATOR = re.compile(r"[\\/,;\s]+")
_RELATED_KINDS = {"1": "bonded-list", "2": "stock-bill", "3": "bol"}
_LIST_STATUS = {
    "0": f"{DISPOSITION}approved",
    "1": f"{DISPOSITION}declared",
    "2": f"{DISPOSITION}rejected",
    "3": f"{DISPOSITION}deleted",
}
_GATE_STATUS = {
    "0": f"{DISPOSITION}declared",
    "1": f"{DISPOSITION}approved",
    "2": f"{DISPOSITION}passed_gate",
    "3": f"{DISPOSITION}passed_gate",
    "4": f"{DISPOSITION}passed_gate",
    "5": f"{DISPOSITION}deleted",
    "6": f"{DISPOSITION}void",
}
_PASSED = frozenset({"2", "3", "4"})


def _declared_moment(draft: EventDraft, text: str, what: str) -> Moment:
    """The time of a declaration: a day becomes the time of sending if that is in it."""
    moment = draft.moment(text, what)
    sent = read_time(draft.message.envelope.get("send_time", ""))
    if moment.day_only and sent is not None and not sent.day_only:
        # The day's last instant is less than a day after anything in it and before anything after it.
        gap = (moment.time - sent.time).total_seconds()
        if 0 <= gap < 86_400:
            return sent
    return moment


def _action(kind: str) -> Action:
    return "DELETE" if kind == "3" else "ADD"


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
            _declared_moment(draft, head.value("InvtDclTime"), "InvtDclTime"),
            step=STEP + "declaring",
            action=_action(kind),
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
            _declared_moment(draft, head.value("InvtDclTime"), "InvtDclTime"),
            step=STEP + "declaring",
            action=_action(head.value("DclTypecd")),
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


def _approval(draft: EventDraft) -> Part | None:
    results = draft.record.lines("HdeApprResult")
    return results[0] if results else None


def _list_receipt(draft: EventDraft) -> None:
    head, approval = draft.record.head, _approval(draft)
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
    for line in draft.record.lines("BondInvtDt"):
        _goods_line(draft, line, head.value("putrecNo"), prefix_upper=False)


def inv201(draft: EventDraft) -> list[Event]:
    """Customs answers a bonded list: approved, rejected or deleted; deducted provisionally or not."""
    head, approval = draft.record.head, _approval(draft)
    _list_receipt(draft)
    decided = approval.value("manageDate") if approval is not None else ""
    return [
        draft.event(
            draft.moment(decided or head.value("prevdTime", "invtDclTime"), "manageDate"),
            step=STEP + "clearing",
            disposition=_LIST_STATUS.get(head.value("invtStucd")),
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
    """Customs deducted a bonded list for good: the ledger items and what came in under them."""
    head = draft.record.head
    _list_receipt(draft)
    for line in draft.record.lines("BwsDt"):
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
                "quantity": line.value("inQty"),
                "lawfulQuantity": line.value("inLawfQty"),
                "secondQuantity": line.value("inSecdLawfQty"),
                "increasedQuantity": line.value("actlIncQty"),
                "reducedQuantity": line.value("actlRedcQty"),
                "provisionalIncrease": line.value("prevdIncQty"),
                "provisionalReduction": line.value("prevdRedcQty"),
            },
        )
    approval = _approval(draft)
    decided = approval.value("manageDate") if approval is not None else ""
    return [
        draft.event(
            draft.moment(head.value("formalVrfdedTime") or decided, "formalVrfdedTime"),
            step=STEP + "clearing",
            disposition=DISPOSITION + "deducted",
            district=head.value("dclPlcCuscd"),
        )
    ]


def _related(draft: EventDraft, kind_code: str, numbers: str) -> None:
    kind = _RELATED_KINDS.get(kind_code)
    if kind is not None:
        for number in _SEPARATOR.split(numbers.strip()):
            draft.document(kind, number, cbv="bol" if kind == "bol" else "")


def _containers(draft: EventDraft, text: str) -> tuple[str, ...]:
    numbers = [number for number in _SEPARATOR.split(text.strip()) if container_valid(number)]
    return tuple(f"urn:epc:id:bic:{number}" for number in numbers if not draft.is_personal(number))


def _gate_head(draft: EventDraft, upper: bool) -> None:
    """The facts of a gate pass that its application and its receipts share."""

    def value(name: str) -> str:
        return draft.value(name[0].upper() + name[1:] if upper else name)

    draft.text("direction", value("ioTypecd"))
    for name, field in {
        "gatePassType": "passportTypecd",
        "gatePassBinding": "bindTypecd",
        "vehicleNo": "vehicleNo",
        "containerNo": "containerNo",
        "zoneFirm": "areainEtpsno",
        "masterDistrict": "masterCuscd",
    }.items():
        draft.text(name, value(field))
    for name in ("totalGrossWt", "totalNetWt", "totalWt", "vehicleWt", "passCollectWt", "wtError"):
        draft.number(name, value(name))


def _gate_lines(draft: EventDraft, lines: list[Part], upper: bool) -> None:
    for line in lines:

        def value(name: str, line: Part = line) -> str:
            return line.value(name[0].upper() + name[1:] if upper else name)

        draft.line(
            {
                "lineNo": line.value("PassportSeqNo", "passportSeqno"),
                "listLineNo": value("rltGdsSeqno"),
                "itemNo": value("gdsMtno"),
                "hsCode": value("gdecd"),
                "goodsName": value("gdsNm"),
                "unit": value("dclUnitcd"),
            },
            {"quantity": value("dclQty"), "grossWeight": value("grossWt"), "netWeight": value("netWt")},
        )


def sas121(draft: EventDraft) -> list[Event]:
    """A gate pass is applied for: for which lists, on which vehicle, with which container."""
    head = draft.record.head
    number, preentry = head.value("PassportNo"), head.value("SeqNo")
    draft.document("gate-pass", number)
    draft.document("gate-pass-preentry", preentry)
    if not number and not preentry:
        draft.document("gate-pass-draft", head.value("AreainEtpsno"), head.value("EtpsPreentNo"))
    _related(draft, head.value("RltTbTypecd"), head.value("RltNo"))
    for part in draft.record.lines("PassportAcmp"):
        _related(draft, part.value("RtlBillTypecd", "RltTbTypecd"), part.value("RtlBillNo", "RltNo"))
    _gate_head(draft, upper=True)
    draft.stated_by_firm(head.value("DclEtpsno", "AreainEtpsno"))
    _gate_lines(draft, draft.record.lines("PassportList"), upper=True)
    applied = head.value("DclTime") or draft.message.envelope.get("send_time", "")
    return [
        draft.event(
            _declared_moment(draft, applied, "DclTime"),
            step=STEP + "declaring",
            action=_action(head.value("DclTypecd")),
            disposition=DISPOSITION + "declared",
            district=head.value("MasterCuscd"),
            epcs=_containers(draft, head.value("ContainerNo")),
        )
    ]


def _gate_receipt(draft: EventDraft) -> str:
    """The documents and facts of a receipt of a gate pass; returns when customs decided, if it says so."""
    head, approval = draft.record.head, _approval(draft)
    draft.document("gate-pass", head.value("passportNo"))
    draft.document("gate-pass-preentry", head.value("sasPassportPreentNo"))
    _related(draft, head.value("rltTbTypecd"), head.value("rltNo"))
    for part in draft.record.lines("SasPassportRlt"):
        _related(draft, part.value("rltTbTypecd"), part.value("rltNo"))
    _gate_head(draft, upper=False)
    draft.text("gatePassStatus", head.value("stucd"))
    draft.text("portApproval", head.value("emapvMarkcd"))
    draft.text("gateId", head.value("passID"))
    if approval is not None:
        draft.text("manageResult", approval.value("manageResult"))
    draft.stated_by_customs(head.value("masterCuscd"))
    _gate_lines(draft, draft.record.lines("SasPassportDt"), upper=False)
    return approval.value("manageDate") if approval is not None else ""


def sas221(draft: EventDraft) -> list[Event]:
    """Customs answers an application for a gate pass."""
    head = draft.record.head
    decided = _gate_receipt(draft)
    rejected = head.value("emapvMarkcd") == "3"
    return [
        draft.event(
            draft.moment(decided or head.value("dclTime"), "manageDate"),
            step=STEP + "clearing",
            disposition=DISPOSITION + "rejected" if rejected else _GATE_STATUS.get(head.value("stucd")),
            district=head.value("masterCuscd"),
            epcs=_containers(draft, head.value("containerNo")),
        )
    ]


def sas223(draft: EventDraft) -> list[Event]:
    """A vehicle went through the gate of the zone, in (arriving) or out (departing)."""
    head = draft.record.head
    decided = _gate_receipt(draft)
    second = head.value("secdPassTime", "secPassTime") if head.value("stucd") == "4" else ""
    passed = second or head.value("passTime")
    if head.value("stucd") not in _PASSED or not passed:
        # What has no time of passing has not passed: a mere state of the gate pass.
        step, disposition = STEP + "clearing", _GATE_STATUS.get(head.value("stucd"))
        moment = draft.moment(decided or head.value("dclTime"), "manageDate")
    else:
        outward = head.value("ioTypecd") == "E"
        step = CBV_STEP + ("departing" if outward else "arriving")
        disposition = CBV_DISPOSITION + "in_transit" if outward else DISPOSITION + "passed_gate"
        moment = draft.moment(passed, "passTime")
    return [
        draft.event(
            moment,
            step=step,
            disposition=disposition,
            district=head.value("masterCuscd"),
            epcs=_containers(draft, head.value("containerNo")),
        )
    ]
