"""What the rules of all CEB messages share: drafts, report types, the numbers by which documents meet.

Issuers of person documents: the platform (``ebpCode``) of an order, the payment firm of a payment, the
carrier of a waybill, the first four digits of its number (the customs district) of a parcel's list. A list
also has a number of the electronic port (``preNo``, issuer ``eport``) and one of the declaring firm
(``copNo``, issuer its ``agentCode``), both of the kind ``parcel-list-draft``; all that a record names stand in
its event, so that a receipt and a declaration meet by whichever they share. Where a message names an order
without its platform (511, 816), the issuer is empty.
A draft (``appStatus`` 1) states nothing.
"""

from __future__ import annotations

from suyuan.customs.drafting import EventDraft
from suyuan.customs.values import read_air_waybill
from suyuan.epcis.model import Action
from suyuan.epcis.reading import Warning_
from suyuan.errors import InputError

AIR = "5"


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


def report_action(draft: EventDraft) -> Action:
    """New and changed records add, deleted ones take back; a change says so in ``reportType``."""
    kind = draft.value("appType")
    if kind != "1":
        draft.text("reportType", kind)
    return "DELETE" if kind == "3" else "ADD"


def parcel_list_numbers(draft: EventDraft) -> None:
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


def named_parcel_list(draft: EventDraft) -> None:
    """The numbers of the list that a receipt is about. ``InputError`` (``customs.field.missing``) without any."""
    parcel_list_numbers(draft)
    if not draft.value("invtNo", "preNo") and not (draft.value("agentCode") and draft.value("copNo")):
        raise InputError(
            "customs.field.missing",
            "The receipt names no list: invtNo, preNo and copNo with agentCode are empty.",
            path=f"{draft.record.head.path}/invtNo",
            remedy="Send the receipt as the electronic port gave it.",
        )


def transport_bill(draft: EventDraft) -> None:
    """The air waybill or bill of lading in ``billNo``; of a master and house number only the master's."""
    number = draft.value("billNo")
    master = read_air_waybill(number)
    if master is not None:
        # A parcel that flies on an air waybill of its own has it as its waybill number, with or without hyphen.
        if draft.is_personal(number) or draft.is_personal(master.replace("-", "")):
            return
        draft.document("awb", master)
    else:
        draft.document("bol", number, cbv="bol")


def voyage(draft: EventDraft) -> None:
    """The vessel's voyage. A flight number comes back every day, so in air traffic it names no document."""
    if draft.value("trafMode") != AIR:
        draft.document("vessel-voyage", draft.value("trafNo"), draft.value("voyageNo"))


def district_of(draft: EventDraft) -> str:
    """The customs district that a receipt comes from, else that of the list's number."""
    return draft.value("customsCode") or draft.value("invtNo")[:4]
