"""What the receipts of one document say, in order and in plain words. Pure: the facts come from whoever keeps them.

A state is read off the receipt's own code, never off its disposition; where it stands is the stage of ``states``. What
a receipt says in the authority's free words (``returnInfo``) may name a person and is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from suyuan.customs.codes import CodeLists, packaged_codes
from suyuan.customs.states import DocumentState, document_states

# Which document a receipt speaks of, and the extension that holds its state.
_RECEIPTS = {
    "CEB312": ("order", "returnStatus"),
    "CEB412": ("payment", "returnStatus"),
    "CEB512": ("waybill", "returnStatus"),
    "CEB514": ("waybill-status", "returnStatus"),
    "CEB622": ("parcel-list", "returnStatus"),
    "CEB624": ("cancellation", "returnStatus"),
    "CEB626": ("return", "returnStatus"),
    "CEB712": ("inbound-detail", "returnStatus"),
    "CEB816": ("tax-bill", "taxStatus"),
    "CEB818": ("tax-bill", "taxStatus"),
    "SAS/INV201": ("bonded-list", "bondedListStatus"),
    "SAS/INV211": ("bonded-list", "bondedListStatus"),
    "SAS/SAS221": ("gate-pass", "gatePassStatus"),
    "SAS/SAS223": ("gate-pass", "gatePassStatus"),
    "SAS/SAS224": ("gate-pass", "gatePassStatus"),
    "SAS/SAS251": ("gate-pass", "gatePassStatus"),
    "SAS/SAS253": ("gate-pass", "gatePassStatus"),
}
_STAGES = {
    "port": ("在电子口岸，尚未到海关", "at the electronic port, not at customs yet"),
    "customs": ("海关已收，等待下一步", "with customs; the next receipt is awaited"),
    "held": ("已停住，须处理后才会继续", "stopped; it goes on only after somebody acts"),
    "done": ("已办结", "settled"),
    "ended": ("已终止，不再有效", "ended; it has no effect any more"),
}
# What to do about a state, where there is something to do.
_ADVICE = {
    "send_failed": ("检查传输通道后重新发送。", "Check the transfer and send it again."),
    "rejected": ("按退单原因修改后重新申报。", "Correct what the rejection names and declare again."),
    "in_review": ("等待人工审核，按要求补充资料。", "Wait for the officer; give what is asked for."),
    "inspection": ("配合海关查验，准备商品与单证。", "Present the goods and papers for inspection."),
    "detained": ("联系主管海关，了解扣留原因。", "Ask the customs district why it is detained."),
}
# Any number below zero says that the message was not processed; which number is a matter of the port's own lists.
_FAILURE = re.compile(r"-[0-9]{1,9}")
_FAILED = ("处理异常", "not processed")
_ADVICE_AFTER_FAILURE = (
    "按回执信息中的原因修改后重新发送。",
    "Correct what the receipt's text names and send it again.",
)
_NAMES = {
    "order": ("订单", "order"),
    "payment": ("支付单", "payment"),
    "waybill": ("运单", "waybill"),
    "waybill-status": ("运单状态", "waybill status"),
    "parcel-list": ("清单", "import list"),
    "cancellation": ("撤销申请", "cancellation"),
    "return": ("退货申请", "return"),
    "inbound-detail": ("入库明细", "inbound detail"),
    "tax-bill": ("电子税单", "tax bill"),
    "bonded-list": ("核注清单", "bonded list"),
    "gate-pass": ("核放单", "gate pass"),
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about a document, as it is kept: ``message`` is its kind, such as ``CEB622``."""

    time: datetime
    message: str
    attributes: Mapping[str, str]
    assurance: str = ""
    party: str = ""
    withdrawn: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a timeline. ``code`` is empty for what is no receipt; ``stage`` for a code that is not known."""

    time: datetime
    message: str
    document_zh: str
    document_en: str
    code: str
    state_zh: str
    state_en: str
    stage: str
    meaning_zh: str = ""
    meaning_en: str = ""
    advice_zh: str = ""
    advice_en: str = ""
    assurance: str = ""
    party: str = ""
    withdrawn: bool = False


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Everything said of a document in order, and where it stands: the newest state by kind of document."""

    moments: tuple[Moment, ...]
    standing: dict[str, Moment]


def _states_of(kind: str) -> dict[str, DocumentState]:
    return document_states().get(kind, {})


def _advice(state: DocumentState | None) -> tuple[str, str]:
    if state is None:
        return "", ""
    name = state.disposition.rpartition(":")[2]
    return next((words for part, words in _ADVICE.items() if name.endswith(part)), ("", ""))


def moment_of(told: Told, codes: CodeLists | None = None) -> Moment:
    """A fact in plain words; one that is no receipt says which message it is."""
    from suyuan.customs.reader import message_kinds

    lists = codes or packaged_codes()
    kind, field = _RECEIPTS.get(told.message, ("", ""))
    code = told.attributes.get(field, "") if field else ""
    state = _states_of(kind).get(code)
    table = message_kinds().get(told.message)
    zh, en = (table.name_zh, table.name_en) if table is not None else (told.message, told.message)
    listed = state.code_list if state is not None else ("return_status" if field == "returnStatus" else "")
    failed = state is None and field == "returnStatus" and _FAILURE.fullmatch(code) is not None
    stage = state.stage if state is not None else "held" if failed else ""
    meaning = _STAGES.get(stage, ("", ""))
    advice = _ADVICE_AFTER_FAILURE if failed else _advice(state)
    return Moment(
        time=told.time,
        message=told.message,
        document_zh=_NAMES[kind][0] if kind else zh,
        document_en=_NAMES[kind][1] if kind else en,
        code=code,
        state_zh=_FAILED[0] if failed else lists.label(listed, code, "zh") if code else zh,
        state_en=_FAILED[1] if failed else lists.label(listed, code, "en") if code else en,
        stage=stage,
        meaning_zh=meaning[0],
        meaning_en=meaning[1],
        advice_zh=advice[0],
        advice_en=advice[1],
        assurance=told.assurance,
        party=told.party,
        withdrawn=told.withdrawn,
    )


def timeline(facts: Iterable[Told], codes: CodeLists | None = None) -> Timeline:
    """The timeline of a document from the facts about it, in whatever order they came.

    Where a receipt was withdrawn it is shown and no longer counts. Receipts of one moment keep their order.
    """
    moments = tuple(moment_of(told, codes) for told in sorted(facts, key=lambda told: told.time))
    standing: dict[str, Moment] = {}
    for moment in moments:
        kind = _RECEIPTS.get(moment.message, ("", ""))[0]
        if kind and moment.code and not moment.withdrawn:
            standing[kind] = moment
    return Timeline(moments=moments, standing=standing)
