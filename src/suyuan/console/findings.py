"""Findings in words: what kind each is, who can resolve it and how. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from suyuan.compliance.findings_model import Evidence, ListedFinding
from suyuan.console.consignment_view import Named, named
from suyuan.console.links import FINDING
from suyuan.console.words import Pair, Voice
from suyuan.web.headlines import headline

KINDS: dict[str, Pair] = {
    "quantity": ("数量", "Quantities"),
    "stock": ("库存", "Stock"),
    "leg": ("法定环节", "Required legs"),
    "contradiction": ("内容矛盾", "Contradictions"),
    "recall": ("召回", "Recalls"),
    "consignment": ("集货差异", "Consignments"),
    "reuse": ("追溯码重复使用", "Codes used again"),
}
_ALARMS = frozenset({"recall", "reuse", "contradiction"})
# Where on the way through a warehouse a difference of stock arose.
STEPS: dict[str, Pair] = {
    "tally": ("理货", "tally"),
    "activation": ("激活", "activation"),
    "storage": ("存放", "storage"),
    "packing": ("装箱", "packing"),
    "exit-list": ("出区清单", "exit list"),
    "gate": ("卡口", "gate"),
}
_HOW: dict[str, Pair] = {
    "balance.entry.difference": (
        "仓库复核理货数量，残损的按残损上报；申报有误的由报关行修改核注清单。补交后本异常自动消失。",
        "The warehouse counts again and reports what is damaged, or the broker amends the bonded list.",
    ),
    "balance.active.excess": (
        "仓库核对激活的序列号；未到货的码应作废，多到的货应补申报。",
        "The warehouse checks which serials were activated; codes without goods are voided, surplus goods declared.",
    ),
    "balance.exit.excess": (
        "核对出区清单与理货单，找出多出区的货物来源。",
        "Compare the exit lists with the tally and find where the surplus came from.",
    ),
    "balance.outflow.uncoded": (
        "仓库补交装箱记录，写明每个包裹装入的追溯码；没有贴码的货物不得出区销售。",
        "The warehouse hands in which codes went into each parcel; goods without a code must not leave for sale.",
    ),
    "stock.tally.difference": (
        "仓库复核理货数量，残损的按残损上报；申报有误的由报关行修改核注清单。",
        "The warehouse counts again and reports what is damaged, or the broker amends the bonded list.",
    ),
    "stock.codes.surplus": (
        "仓库找出没有货物的追溯码并作废，或补报漏登的到货。",
        "The warehouse finds the codes that have no goods and voids them, or reports goods that were not tallied.",
    ),
    "stock.count.difference": (
        "仓库在该库位再盘一次；短少的查找去向并上报残损或丢失，多出的查明来源。",
        "The warehouse counts that place again, then reports what is damaged or lost, or finds where more came from.",
    ),
    "stock.outflow.uncoded": (
        "仓库补交装箱记录，写明每个包裹装入的追溯码；没有贴码的货物不得出区销售。",
        "The warehouse hands in which codes went into each parcel; goods without a code must not leave for sale.",
    ),
    "stock.list.difference": (
        "报关行核对出区核注清单与所含包裹的清单，更正有误的一方。",
        "The broker compares the exit list with the lists of its parcels and amends the one that is wrong.",
    ),
    "stock.exit.excess": (
        "报关行与仓库核对出区清单和入账数量，查明多出区的货物来源。",
        "Broker and warehouse compare exit lists with what was entered, and find where the surplus came from.",
    ),
    "stock.gate.difference": (
        "仓库核对核放单与出区清单的件数，差异在过卡前更正，过卡后上报海关。",
        "The warehouse compares gate pass and exit list: put it right before the gate, report it to customs after.",
    ),
    "leg.missing": (
        "由责任方补交该环节的单证或事件；任何被系统识别的格式均可。",
        "Whoever owes the leg hands in its paper or event, in any form that is recognised.",
    ),
    "leg.late": ("记录已补齐，请说明逾期原因。", "The record is there; say why it came late."),
    "leg.contradictory": (
        "责任方撤回有误的记录（错误声明）并提交正确的记录。",
        "Whoever said the wrong thing withdraws it (error declaration) and states it rightly.",
    ),
    "event.conflict": (
        "双方核对；提交错误内容的一方用错误声明撤回自己的事件。",
        "Both compare; the one that was wrong withdraws its event by an error declaration.",
    ),
    "recall.moving": (
        "立即联系最后持有该货物的一方，停止流转并隔离；完成后提交销毁或退回记录。",
        "Call whoever held the goods last, stop them and set them apart; then report destruction or return.",
    ),
    "consignment.short": (
        "承运人与监管场所核对短少包裹，更正入库明细单或报告丢失。",
        "Carrier and supervised site look for the missing parcels, and correct the inbound detail or report them lost.",
    ),
    "consignment.surplus": (
        "集货方补报溢装包裹，或更正入库明细单。",
        "Whoever consolidated reports the surplus parcels, or the inbound detail is corrected.",
    ),
    "code.reused": (
        "卖方停止使用该码并说明货物来源；已结束的码不得再次销售。",
        "The seller stops using the code and says where the goods came from; an ended code is never sold again.",
    ),
}


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in a list."""

    finding_id: str
    kind: str
    code: str
    sentence: str
    tone: str
    lot: str
    who: str
    age: str
    href: str
    step: str = ""
    quantity: str = ""


class SideView(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a finding's evidence."""

    title: str
    lines: tuple[tuple[str, Named | None], ...]


def finding_row(one: ListedFinding, parties: dict[str, str], now: datetime, voice: Voice) -> FindingRow:
    """A finding as the list shows it."""
    return FindingRow(
        finding_id=one.finding_id,
        kind=voice.pair(KINDS[one.kind]),
        code=one.code,
        sentence=sentence(one, parties, voice),
        tone="alarm" if one.kind in _ALARMS or one.alarm else "caution",
        lot=one.lot,
        who=who(one, parties, voice),
        age=age(one.since, now, voice),
        href=finding_href(one),
        step=step(one, voice),
        quantity=one.quantity,
    )


def step(one: ListedFinding, voice: Voice) -> str:
    """The step of the warehouse where a difference arose; empty for findings of other kinds."""
    return voice.pair(STEPS[one.step]) if one.step else ""


def sentence(one: ListedFinding, parties: dict[str, str], voice: Voice) -> str:
    """What is wrong, in one sentence, with the names of the parties."""
    return _with_names(voice.public.name(one.reason_en, one.reason_zh), one, parties)


def _with_names(text: str, one: ListedFinding, parties: dict[str, str]) -> str:
    """A text in which parties stand by their IDs, with their names; only contradictions are told that way."""
    if one.kind != "contradiction" or not one.parties:
        return text
    ids = "|".join(re.escape(party_id) for party_id in one.parties)
    return re.sub(
        rf"(?<![\w-])(?:{ids})(?![\w-])",
        lambda found: parties.get(found[0], found[0]),
        text,
        flags=re.ASCII,
    )


def who(one: ListedFinding, parties: dict[str, str], voice: Voice) -> str:
    """Who can resolve it: the role, and the firms that speak in it."""
    names = voice.say("、", ", ").join(parties.get(party_id, party_id) for party_id in one.parties[:3])
    role = voice.role(one.owed_by) if one.owed_by else ""
    return " · ".join(part for part in (role, names) if part)


def age(since: datetime | None, now: datetime, voice: Voice) -> str:
    """For how many days it has been so; empty where that is not known."""
    if since is None or since > now:
        return ""
    days = (now - since) // timedelta(days=1)
    return voice.count(days, "{n} 天", "{n} day", "{n} days")


def how(one: ListedFinding, voice: Voice) -> str:
    """What to do about it."""
    return voice.pair(_HOW[one.code]) if one.code in _HOW else ""


def finding_href(one: ListedFinding) -> str:
    """The page of a finding: enough to compute it again, and which one it is."""
    query = {"finding": one.finding_id}
    if one.gtin and one.lot:
        query |= {"gtin": one.gtin, "lot": one.lot}
    return f"{FINDING}?{urlencode(query)}"


def sides(one: ListedFinding, parties: dict[str, str], voice: Voice) -> tuple[SideView, ...]:
    """The evidence, side by side; a side without lines is left out."""
    titles = (voice.say("一方", "On the one side"), voice.say("另一方", "On the other side"))
    views = []
    for side, title in enumerate(titles):
        lines = tuple(_line(line, one, parties, voice) for line in one.evidence if line.side == side)
        if lines:
            views.append(SideView(title=title, lines=lines))
    return tuple(views)


def _line(
    line: Evidence, one: ListedFinding, parties: dict[str, str], voice: Voice
) -> tuple[str, Named | None]:
    text = _with_names(voice.public.name(line.en, line.zh), one, parties)
    if line.fact is not None:
        text = f"{headline(line.fact, voice.public)} · {text}"
    return text, named(line.reference, voice) if line.reference else None
