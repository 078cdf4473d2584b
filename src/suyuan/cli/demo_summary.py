"""What ``suyuan demo`` says of one journey: the report that was read back from the doors, in words for people.

Pure: a report gives lines, in the language of the run. A report goes out as JSON too; texts that come in two
languages are in it in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from rich.markup import escape

from suyuan.cli.context import explain, say
from suyuan.cli.demo_labels import LabelReport, label_lines
from suyuan.cli.demo_orders import OrderTrace, Purchase, order_lines, purchase_lines
from suyuan.compliance.cities import REQUIREMENTS

_ASSURANCE_ZH = {
    "authority-verified": "主管机关核实",
    "relayed": "合作方转交",
    "inspected": "第三方检验",
    "partner-signed": "合作方签名",
    "self-declared": "企业自述",
}
_STATES_ZH = {"missing": "缺失", "not yet due": "未到期", "contradictory": "相互矛盾"}
_ROLES_ZH = {
    "manufacturer": "生产商",
    "brand-owner": "品牌方",
    "entrusted-firm": "境内受托企业",
    "label-maker": "标签制作方",
    "laboratory": "实验室",
    "inspector": "独立检验机构",
    "forwarder": "货运代理",
    "carrier": "承运人",
    "customs-broker": "报关企业",
    "bonded-warehouse": "保税仓",
    "platform": "电商平台",
    "seller": "卖家",
    "payment": "支付企业",
    "courier": "快递企业",
    "regulator": "监管部门",
    "authority": "主管机关",
}
_JOURNEYS = {
    "bonded": ("BONDED  tin", "保税  罐"),
    "direct": ("DIRECT  item", "直邮  商品"),
    "ningbo": ("NINGBO  pack", "宁波  包"),
    "handbag": ("HANDBAG bag", "手提包 件"),
}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One paper of the manifest and what its door answered.

    ``missing`` ones were not in the folder; ``refused`` is what the door said to one that it did not take,
    ``warnings`` what it found odd in one that it took.
    """

    step: int
    paper: str
    party: str
    missing: bool = False
    event_ids: tuple[str, ...] = ()
    kind: str = ""
    refused: dict[str, str] | None = None
    warnings: tuple[dict[str, str], ...] = ()


class JourneyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the doors say of the followed item after all papers are in.

    ``second_waybill`` is the number under which the parcel went on, its middle masked; empty where it kept one.
    ``aliases`` are the item's other codes, ``orders`` what an order page shows for an order number, ``label`` what
    checks of its labels came to, where it has labels that a camera can check.
    """

    journey: str
    title_en: str
    title_zh: str
    item: str
    steps: int
    steps_found: tuple[int, ...]
    papers: int
    missing_papers: tuple[Delivery, ...]
    refused_papers: tuple[Delivery, ...]
    odd_papers: tuple[Delivery, ...]
    route: tuple[str, ...]
    route_zh: tuple[str, ...]
    mode: str
    legs_present: int
    legs_required: int
    legs_open: tuple[dict[str, Any], ...]
    assurance: dict[str, int]
    balance: dict[str, Any]
    waybills: int
    second_waybill: str
    consignments: tuple[dict[str, Any], ...]
    aliases: tuple[str, ...] = ()
    purchase: Purchase | None = None
    orders: tuple[OrderTrace, ...] = ()
    label: LabelReport | None = None
    city: dict[str, Any] | None = None
    state: str
    findings: tuple[dict[str, Any], ...]
    recalled: str
    facts_verified: int
    verify_ms: float
    page: str
    api: str
    log: str
    seconds: float
    console: str = ""


def masked(number: str) -> str:
    """A number of a person's document with its middle hidden: ``SF...233``; all of it where it is short."""
    return f"{number[:2]}...{number[-3:]}" if len(number) >= 10 else "..."


def trace_address(base_url: str, item_uri: str) -> str:
    """Where the trace of an item is asked for."""
    return f"{base_url}/api/v1/trace?uri={quote(item_uri, safe='')}"


def local_time(text: str, offset: str) -> datetime:
    """A moment in the local time of its place."""
    hours, minutes = int(offset[:3]), int(offset[4:6] or 0)
    if offset.startswith("-"):
        minutes = -minutes
    return datetime.fromisoformat(text).astimezone(UTC) + timedelta(hours=hours, minutes=minutes)


def route_of(trace: dict[str, Any], coverage: dict[str, Any], language: str = "en") -> list[str]:
    """The way in a few words: origin, then place and date of departure, arrival, release and delivery."""
    facts = trace["facts"]
    legs = {leg["code"]: leg for leg in coverage["legs"] if leg["facts"]}
    released, delivered = ("放行", "签收") if language == "zh" else ("released", "delivered")
    release = legs["list-release"]["facts"][0] + 1 if "list-release" in legs else 0

    def city(position: int, since: int = 0) -> str:
        for fact in reversed(facts[since : position + 1]):
            place = fact["place"] or {}
            name = place.get(f"city_{language}") or place.get(f"name_{language}")
            if name:
                return str(name)
        return ""

    def day(position: int) -> str:
        fact = facts[position]
        return local_time(fact["event_time"], fact["zone_offset"]).strftime("%m-%d")

    placed = next((position for position, fact in enumerate(facts) if fact["place"]), None)
    origin = city(placed) if placed is not None else ""
    stops: list[str] = []
    for code in ("departure", "arrival", "list-release", "delivery"):
        if code in legs:
            position = legs[code]["facts"][0]
            if code == "list-release":
                stop = released
            elif code == "delivery":
                # A signature names no place; the courier's last scan before it does, and no older fact.
                stop = city(position, release) or delivered
            else:
                stop = city(position)
            stops.append(f"{stop} {day(position)}".strip())
    if origin and not (stops and stops[0].startswith(f"{origin} ")):
        stops.insert(0, origin)
    return stops


def summary_lines(report: JourneyReport) -> Iterator[str]:
    """The summary of one journey, line by line, in rich's markup."""
    whole = len(report.steps_found) == report.steps
    english, chinese = _JOURNEYS.get(report.journey, (report.journey.upper(), report.journey.upper()))
    head = [
        f"[{'green' if whole else 'yellow'}]"
        + say(
            f"{len(report.steps_found)} of {report.steps} steps",
            f"{report.steps} 步中找到 {len(report.steps_found)} 步",
        )
        + "[/]"
    ]
    if report.second_waybill:
        head.append(say("second waybill ", "境内运单 ") + escape(report.second_waybill))
    head += [text for text in map(_shortage, report.consignments) if text]
    head.append(say(f"from {report.papers} papers", f"来自 {report.papers} 份单证"))
    yield f"[bold]{say(english, chinese)}[/] {escape(report.item)}   {say(', ', '，').join(head)}"
    if report.route:
        yield "  " + escape(say(" -> ".join(report.route), " -> ".join(report.route_zh)))
    yield from _coverage_lines(report)
    yield from _paper_lines(report)
    yield from _city_lines(report.city)
    yield from _alias_lines(report)
    yield from purchase_lines(report.purchase)
    yield from order_lines(report.orders)
    yield from label_lines(report.label)
    yield from _quantity_lines(report)
    if report.state == "returned":
        yield say(
            "  [yellow]returned[/]: this code is never sold again", "  [yellow]已退货[/]：此码不再用于销售"
        )
    for finding in report.findings:
        text = escape(say(finding["reason_en"], finding["reason_zh"]))
        yield say("  [yellow]finding[/]: ", "  [yellow]异常[/]：") + text
    if report.recalled:
        yield f"  [bold red]{say('RECALLED', '已召回')} {report.recalled}[/]"
    if not report.facts_verified:
        yield say("  proof: no fact of this item is known yet", "  证明：尚无该商品的事实")
    else:
        yield say(
            f"  proof: {report.facts_verified} facts checked offline in {report.verify_ms:.0f} ms",
            f"  证明：离线核验 {report.facts_verified} 条事实，用时 {report.verify_ms:.0f} 毫秒",
        )
    yield say("  Buyer page ", "  买家页面  ") + escape(report.page)
    yield say("  API        ", "  接口      ") + escape(report.api)
    yield say("  Log        ", "  日志      ") + escape(report.log)


def _coverage_lines(report: JourneyReport) -> Iterator[str]:
    counts = say(", ", "，").join(
        f"{say(name, _ASSURANCE_ZH.get(name, name))} {count}" for name, count in report.assurance.items()
    )
    colour = "green" if report.legs_present == report.legs_required else "yellow"
    legs = f"{report.legs_present}/{report.legs_required}"
    yield say(
        f"  clause 486: [{colour}]{legs} legs[/]    {counts}",
        f"  486 号文：[{colour}]{legs} 个环节[/]    {counts}",
    )
    for leg in report.legs_open:
        state, owed = leg["state"], leg["owed_by"]
        state_zh, owed_zh = _STATES_ZH.get(state, state), _ROLES_ZH.get(owed, owed)
        reason = escape(say(leg["reason_en"], leg["reason_zh"]))
        yield say(
            f"  [yellow]{state}[/]: {leg['name_en']} ({leg['name_zh']}), owed by the {owed}. {reason}",
            f"  [yellow]{state_zh}[/]：{leg['name_zh']}，责任方：{owed_zh}。{reason}",
        ).rstrip()


def _city_lines(city: dict[str, Any] | None) -> Iterator[str]:
    """What the city of the import list asks to be coded, and whether it is there."""
    if city is None:
        return
    what_en, what_zh = REQUIREMENTS[city["requires"]]
    met_en, met_zh = {
        True: ("[green]met[/]", "[green]已满足[/]"),
        False: ("[yellow]not met[/]", "[yellow]未满足[/]"),
        None: ("not known", "无法判断"),
    }[city["met"]]
    doubt_en, doubt_zh = ("", "") if city["confirmed"] else (" (rule not confirmed)", "（规则待确认）")
    yield say(
        f"  {city['name_en']} since {city['since']}: {what_en}, {met_en}{doubt_en}",
        f"  {city['name_zh']}自 {city['since']}：{what_zh}，{met_zh}{doubt_zh}",
    )


def _alias_lines(report: JourneyReport) -> Iterator[str]:
    """Codes of other systems on the same thing: whoever asks by one of them gets the same trace."""
    if report.aliases:
        codes = escape(", ".join(uri.removeprefix("urn:suyuan:label:") for uri in report.aliases))
        yield say(f"  same thing under: {codes}", f"  同一商品的其他编码：{codes}")


def _paper_lines(report: JourneyReport) -> Iterator[str]:
    def where(delivery: Delivery) -> str:
        return escape(
            say(
                f"{delivery.paper} (step {delivery.step}, {delivery.party})",
                f"{delivery.paper}（第 {delivery.step} 步，{delivery.party}）",
            )
        )

    for delivery in report.missing_papers:
        yield say("  [yellow]not delivered[/]: ", "  [yellow]未交付[/]：") + where(delivery)
    for delivery in report.refused_papers:
        yield say("  [red]refused[/]: ", "  [red]被拒收[/]：") + where(delivery)
        yield "    " + escape(refusal_text(delivery.refused or {}))
    for delivery in report.odd_papers:
        for warning in delivery.warnings:
            text = f"{warning['reason']} ({warning['code']}, {warning['path']})"
            yield say("  [yellow]odd[/]: ", "  [yellow]可疑[/]：") + f"{where(delivery)}  {escape(text)}"


def refusal_text(refused: dict[str, str]) -> str:
    """Why a door did not take a paper, and what to do now."""
    place = f" ({refused['path']})" if refused["path"] else ""
    reason = say(refused["reason"], explain(refused["code"]) or refused["reason"])
    return " ".join(
        part for part in (f"{refused['code']}{place}:", reason, say(refused["remedy"], "")) if part
    )


def _quantity_lines(report: JourneyReport) -> Iterator[str]:
    balance = report.balance
    if "coded" in balance:
        figures = [_count(balance[name]) for name in ("coded", "received", "damaged", "unexplained")]
        words = (
            ("coded", "赋码"), ("received", "实收"), ("damaged", "残损"), ("unexplained", "未解释"),
        )  # fmt: skip
        pairs = zip(words, figures, strict=True)
        yield say("  balance: ", "  数量勾稽：") + "  ".join(
            say(f"{figure} {word[0]}", f"{word[1]} {figure}") for word, figure in pairs
        )
    for found in report.consignments:
        left, arrived = found["consolidated"], found["received"]
        yield say(
            f"  consignment {found['number']}: {left} parcels left, {arrived or 'none reported as'} arrived",
            f"  主运单 {found['number']}：发出 {left} 件，{f'实到 {arrived} 件' if arrived else '尚无到货申报'}",
        )


def _shortage(found: dict[str, Any]) -> str:
    """How many parcels of the consignment did not arrive; nothing where all did."""
    count = found["missing"]
    if not count:
        return ""
    mine = found["parcel"] == "missing"
    return say(
        f"{'one parcel' if count == 1 else f'{count} parcels'} of the consignment short"
        f" ({'this one' if mine and count == 1 else 'this one among them' if mine else 'not this one'})",
        f"同批短少 {count} 件（{'含本件' if mine else '非本件'}）",
    )


def _count(text: str) -> str:
    return f"{int(text):,}" if text.lstrip("-").isdigit() else text or "?"


def delivery_line(delivery: Delivery, steps: int, seconds: float) -> str:
    """One delivery as it happens, in rich's markup."""
    label = f"[dim]{delivery.step:>3}/{steps}[/]  {escape(delivery.paper):<38}"
    if delivery.missing:
        return label + say(" [yellow]not in the folder: not delivered[/]", " [yellow]文件夹中没有：未交付[/]")
    if delivery.refused is not None:
        return label + say(" [red]refused[/]", " [red]被拒收[/]")
    number = len(delivery.event_ids)
    events = say(f"{number:>5} event{'s' if number != 1 else ' '}", f"{number:>5} 个事件")
    odd = len(delivery.warnings)
    warnings = say(f"  [yellow]{odd} odd[/]", f"  [yellow]可疑 {odd} 处[/]") if odd else ""
    return f"{label} {delivery.kind:<20} {events}  {seconds:5.2f} s{warnings}"


def open_legs(legs: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The legs that are asked for and not there."""
    return tuple(leg for leg in legs if leg["state"] not in ("present", "late", "not required"))
