"""What the receipts about the gate pass of a two-step declaration (SAS251, SAS253) state, as events.

Such a pass names declarations, not lists. It has no field for its direction; the sixth character of its number
tells it (I in, E out), as in every gate pass.
"""

from __future__ import annotations

from suyuan.customs.drafting import CBV_DISPOSITION, CBV_STEP, DISPOSITION, STEP, EventDraft
from suyuan.customs.gate_pass_rules import PASSED, containers
from suyuan.customs.sas_statements import approval_of
from suyuan.customs.states import GATE_PASS, disposition_of
from suyuan.epcis.model import Event


def _direction(number: str) -> str:
    return number[5] if len(number) == 24 and number[5] in "IE" else ""


def _two_step_receipt(draft: EventDraft) -> str:
    """The documents and facts of a receipt; returns when customs decided, if it says so."""
    head, approval = draft.record.head, approval_of(draft)
    draft.document("gate-pass", head.value("passportNo"))
    draft.document("gate-pass-preentry", head.value("sasPassportPreentNo"))
    for line in draft.record.lines("Sas2stepPassportRlt"):
        draft.document("declaration", line.value("entryId"))
    draft.text("direction", _direction(head.value("passportNo")))
    draft.text("vehicleNo", head.value("vehicleNo"))
    draft.text("containerNo", head.value("containerNo"))
    draft.text("zoneFirm", head.value("areainEtpsno", "areainEtpsNo"))
    draft.text("masterDistrict", head.value("masterCuscd"))
    draft.text("gatePassStatus", head.value("stucd"))
    draft.text("portApproval", head.value("emapvMarkcd"))
    draft.text("gateId", head.value("passId"))
    if approval is not None:
        draft.text("manageResult", approval.value("manageResult"))
    draft.stated_by_customs(head.value("masterCuscd"))
    return approval.value("manageDate") if approval is not None else ""


def sas251(draft: EventDraft) -> list[Event]:
    """Customs answers an application for the gate pass of a two-step declaration."""
    head = draft.record.head
    decided = _two_step_receipt(draft)
    state = disposition_of(GATE_PASS, head.value("stucd"))
    return [
        draft.event(
            draft.moment(decided or head.value("dclTime"), "manageDate"),
            step=STEP + "clearing",
            disposition=DISPOSITION + "rejected" if head.value("emapvMarkcd") == "3" else state,
            district=head.value("masterCuscd"),
            epcs=containers(draft, head.value("containerNo")),
        )
    ]


def sas253(draft: EventDraft) -> list[Event]:
    """A vehicle went through the gate under the pass of a two-step declaration, in or out."""
    head = draft.record.head
    decided = _two_step_receipt(draft)
    direction = _direction(head.value("passportNo"))
    second = head.value("secdPassTime") if head.value("stucd") == "4" else ""
    passed = second or head.value("passTime")
    if head.value("stucd") not in PASSED or not passed or not direction:
        # Without a time or a way nothing has moved: a mere state of the gate pass.
        step, disposition = STEP + "clearing", disposition_of(GATE_PASS, head.value("stucd"))
        moment = draft.moment(decided or passed or head.value("dclTime"), "manageDate")
    else:
        outward = direction == "E"
        step = CBV_STEP + ("departing" if outward else "arriving")
        disposition = CBV_DISPOSITION + "in_transit" if outward else DISPOSITION + "passed_gate"
        moment = draft.moment(passed, "passTime")
    return [
        draft.event(
            moment,
            step=step,
            disposition=disposition,
            district=head.value("masterCuscd"),
            epcs=containers(draft, head.value("containerNo")),
        )
    ]
