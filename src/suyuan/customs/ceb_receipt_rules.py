"""What the receipts of the three trade papers state: that customs took an order, a payment, a waybill or its status.

They say nothing of the goods; one record, one event about one person document.
"""

from __future__ import annotations

from suyuan.customs.drafting import STEP, EventDraft
from suyuan.customs.states import TRADE_PAPER, disposition_of
from suyuan.epcis.model import Event


def _receipt(draft: EventDraft) -> list[Event]:
    draft.texts("returnStatus", "returnTime")
    draft.stated_by_customs("")
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "clearing",
            disposition=disposition_of(TRADE_PAPER, draft.value("returnStatus")),
        )
    ]


def ceb312(draft: EventDraft) -> list[Event]:
    """A receipt says that an order has a state, e.g. 120 accepted."""
    draft.person_document("order", draft.value("ebpCode"), draft.value("orderNo"))
    draft.texts("ebpCode", "ebcCode")
    return _receipt(draft)


def ceb412(draft: EventDraft) -> list[Event]:
    """A receipt says that a payment has a state."""
    draft.person_document("payment", draft.value("payCode"), draft.value("payTransactionId"))
    draft.texts("payCode")
    return _receipt(draft)


def ceb512(draft: EventDraft) -> list[Event]:
    """A receipt says that a waybill has a state."""
    draft.person_document("waybill", draft.value("logisticsCode"), draft.value("logisticsNo"))
    draft.texts("logisticsCode")
    return _receipt(draft)


def ceb514(draft: EventDraft) -> list[Event]:
    """A receipt says that the report of a waybill's status has a state; the parcel itself does not move."""
    draft.person_document("waybill", draft.value("logisticsCode"), draft.value("logisticsNo"))
    draft.texts("logisticsStatus", "logisticsCode")
    return _receipt(draft)
