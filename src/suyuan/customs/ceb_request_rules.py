"""What is asked for after a list was declared, cancellation (623) or return of the goods (625), and the answers.

Source: announcement 45 of 2020 of the General Administration of Customs for returns. A request states what a
firm wants, not what happened to the goods. Its reason is a person's own words and stays in the evidence; the
event has the word of our own that the reason means.
"""

from __future__ import annotations

from suyuan.customs.ceb_statements import (
    district_of,
    is_draft,
    named_parcel_list,
    parcel_list_numbers,
    report_action,
)
from suyuan.customs.drafting import STEP, EventDraft
from suyuan.customs.states import CANCELLATION, RETURN, DocumentState, disposition_of
from suyuan.epcis.model import Event

# The first word that stands in the text decides; the order is part of the rules.
_REASONS = {
    "refused": ("拒收", "拒签", "refus"),
    "wrong_goods": ("错发", "发错", "漏发", "不符", "wrong"),
    "damaged": ("破损", "损坏", "变形", "damage", "broken"),
    "quality": ("质量", "瑕疵", "过期", "quality", "defect"),
    "change_of_mind": ("无理由", "不想要", "不喜欢", "取消", "change of mind"),
    "declaration_error": ("申报错误", "填报错误", "数据错误", "declaration"),
}


def reason_class(text: str) -> str:
    """Our word for a stated reason, ``other`` where none is recognised."""
    lower = text.casefold()
    return next((name for name, words in _REASONS.items() if any(word in lower for word in words)), "other")


def _request(draft: EventDraft, step: str) -> list[Event]:
    if is_draft(draft):
        return []
    parcel_list_numbers(draft)
    draft.person_document("order", draft.value("ebpCode"), draft.value("orderNo"))
    draft.person_document("waybill", draft.value("logisticsCode"), draft.value("logisticsNo"))
    draft.text("reasonClass", reason_class(draft.value("reason")))
    draft.texts("customsCode", "ebpCode", "ebcCode", "logisticsCode", "agentCode")
    draft.stated_by_firm(draft.value("agentCode"))
    action = report_action(draft)
    for line in draft.record.lines("InvtRefundList"):
        draft.line(
            {
                "lineNo": line.value("gnum"),
                "hsCode": line.value("gcode"),
                "goodsName": line.value("gname"),
                "unit": line.value("unit"),
            },
            {"quantity": line.value("qty")},
        )
    return [
        draft.event(
            draft.moment(draft.value("appTime"), "appTime"),
            step=STEP + step,
            action=action,
            district=draft.value("customsCode"),
        )
    ]


def _answer(draft: EventDraft, states: dict[str, DocumentState]) -> list[Event]:
    named_parcel_list(draft)
    draft.texts("returnStatus", "returnTime", "customsCode", "ebpCode", "ebcCode", "agentCode")
    draft.stated_by_customs(district_of(draft))
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "clearing",
            disposition=disposition_of(states, draft.value("returnStatus")),
            district=district_of(draft),
        )
    ]


def ceb623(draft: EventDraft) -> list[Event]:
    """The cancellation of a parcel's list is asked for."""
    return _request(draft, "requesting_cancellation")


def ceb624(draft: EventDraft) -> list[Event]:
    """A receipt says how a cancellation stands, e.g. 399: the list is cancelled."""
    return _answer(draft, CANCELLATION)


def ceb625(draft: EventDraft) -> list[Event]:
    """The return of a parcel's goods is asked for."""
    return _request(draft, "requesting_return")


def ceb626(draft: EventDraft) -> list[Event]:
    """A receipt says how a return stands, e.g. 399: it is concluded, the tax goes back."""
    return _answer(draft, RETURN)
