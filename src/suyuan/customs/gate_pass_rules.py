"""What the messages about gate passes (SAS121, SAS221, SAS223, SAS224) state, as events.

A pass names the lists, stock bills or bills of lading that go under it. Container numbers are things
(``urn:epc:id:bic:``); one with a wrong check digit is a thing to nobody and stays in the text only.
"""

from __future__ import annotations

import re

from suyuan.customs.drafting import CBV_DISPOSITION, CBV_STEP, DISPOSITION, STEP, EventDraft
from suyuan.customs.message import Part
from suyuan.customs.sas_statements import application_action, approval_of, declared_moment
from suyuan.customs.states import GATE_PASS, disposition_of
from suyuan.epcis.model import Event
from suyuan.gs1.check_digits import container_valid

_SEPARATOR = re.compile(r"[\\/,;\s]+")
_RELATED_KINDS = {"1": "bonded-list", "2": "stock-bill", "3": "bol"}
PASSED = frozenset({"2", "3", "4"})


def _related(draft: EventDraft, kind_code: str, numbers: str) -> None:
    kind = _RELATED_KINDS.get(kind_code)
    if kind is not None:
        for number in _SEPARATOR.split(numbers.strip()):
            draft.document(kind, number, cbv="bol" if kind == "bol" else "")


def containers(draft: EventDraft, text: str) -> tuple[str, ...]:
    """The containers in a text as things; what has a wrong check digit or repeats a personal value is left out."""
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
            declared_moment(draft, applied, "DclTime"),
            step=STEP + "declaring",
            action=application_action(head.value("DclTypecd")),
            disposition=DISPOSITION + "declared",
            district=head.value("MasterCuscd"),
            epcs=containers(draft, head.value("ContainerNo")),
        )
    ]


def _gate_receipt(draft: EventDraft) -> str:
    """The documents and facts of a receipt of a gate pass; returns when customs decided, if it says so."""
    head, approval = draft.record.head, approval_of(draft)
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
            disposition=DISPOSITION + "rejected"
            if rejected
            else disposition_of(GATE_PASS, head.value("stucd")),
            district=head.value("masterCuscd"),
            epcs=containers(draft, head.value("containerNo")),
        )
    ]


def sas223(draft: EventDraft) -> list[Event]:
    """A vehicle went through the gate of the zone, in (arriving) or out (departing)."""
    head = draft.record.head
    decided = _gate_receipt(draft)
    second = head.value("secdPassTime", "secPassTime") if head.value("stucd") == "4" else ""
    passed = second or head.value("passTime")
    if head.value("stucd") not in PASSED or not passed:
        # What has no time of passing has not passed: a mere state of the gate pass.
        step, disposition = STEP + "clearing", disposition_of(GATE_PASS, head.value("stucd"))
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
            epcs=containers(draft, head.value("containerNo")),
        )
    ]


def sas224(draft: EventDraft) -> list[Event]:
    """Customs settled the inspection of what stands under a gate pass; its own word for the outcome is kept."""
    head = draft.record.head
    decided = _gate_receipt(draft)
    return [
        draft.event(
            draft.moment(decided or head.value("passTime", "dclTime"), "manageDate"),
            step=STEP + "clearing",
            disposition=DISPOSITION + "inspection_settled",
            district=head.value("masterCuscd"),
            epcs=containers(draft, head.value("containerNo")),
        )
    ]
