"""What arrives at a supervised site: the inbound detail (711), which lists parcels, and its receipt (712).

The detail is a shared document of hundreds of parcels of as many people. Its event is about the parcels that
it lists, each by its waybill, and names the detail and the air waybill beside them: a parcel leads to the detail,
the detail leads to no parcel, and a parcel that is not listed did not arrive.
"""

from __future__ import annotations

from suyuan.customs.ceb_statements import is_draft, report_action, transport_bill, voyage
from suyuan.customs.drafting import CBV_STEP, STEP, EventDraft, raw_uri
from suyuan.customs.states import TRADE_PAPER, disposition_of
from suyuan.epcis.model import Event
from suyuan.epcis.reading import Warning_
from suyuan.errors import InputError


def _numbers(draft: EventDraft) -> bool:
    """All numbers of the detail; False if it has none. A firm's own number counts together with the firm."""
    named = [
        draft.document("inbound-detail", draft.value("rkdNo")),
        draft.document("inbound-detail-draft", "eport", draft.value("preNo")),
        draft.document("inbound-detail-draft", draft.value("operatorCode"), draft.value("copNo")),
    ]
    return any(named)


def _waybills(draft: EventDraft) -> tuple[str, ...]:
    """The parcels of the detail, each once."""
    carrier = draft.value("logisticsCode")
    found: dict[str, None] = {}
    for line in draft.record.lines("DeliveryList"):
        uri = raw_uri("waybill", carrier, line.value("logisticsNo"))
        if uri in found:
            draft.warnings.append(
                Warning_(
                    "customs.line.repeated",
                    f"{line.path}/logisticsNo",
                    "The waybill stands in the list twice; it counts once.",
                )
            )
        found[uri] = None
    return tuple(found)


def ceb711(draft: EventDraft) -> list[Event]:
    """Parcels are received at a supervised site; a deleted detail (3) is taken back as a document."""
    if is_draft(draft):
        return []
    _numbers(draft)
    transport_bill(draft)
    voyage(draft)
    draft.texts("customsCode", "trafMode", "trafNo", "voyageNo", "ieFlag", "operatorCode", "logisticsCode")
    draft.stated_by_firm(draft.value("operatorCode"))
    moment = draft.moment(draft.value("appTime"), "appTime")
    district = draft.value("customsCode")
    if report_action(draft) == "DELETE":
        return [draft.event(moment, step=STEP + "declaring", action="DELETE", district=district)]
    waybills = _waybills(draft)
    draft.number("parcels", str(len(waybills)))
    return [
        draft.event(moment, step=CBV_STEP + "receiving", district=district, epcs=waybills, is_object=True)
    ]


def ceb712(draft: EventDraft) -> list[Event]:
    """A receipt says that an inbound detail has a state."""
    if not _numbers(draft):
        raise InputError(
            "customs.field.missing",
            "The receipt names no inbound detail: rkdNo, preNo and copNo with operatorCode are empty.",
            path=f"{draft.record.head.path}/rkdNo",
            remedy="Send the receipt as the electronic port gave it.",
        )
    draft.texts("returnStatus", "returnTime", "customsCode", "operatorCode")
    draft.stated_by_customs(draft.value("customsCode"))
    return [
        draft.event(
            draft.moment(draft.value("returnTime"), "returnTime"),
            step=STEP + "clearing",
            disposition=disposition_of(TRADE_PAPER, draft.value("returnStatus")),
            district=draft.value("customsCode"),
        )
    ]
