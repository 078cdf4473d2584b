"""Do the papers of one purchase agree? Order, payment, waybill and import list (三单对碰), before customs asks.

Customs matches them by the order number and refuses the list where buyer, amounts or goods differ. The same is done
here over the messages of several files; a paper whose counterpart was not given is not judged for its absence unless
papers of that kind were given at all. Reasons repeat no personal value: the paths say where to look.

Limits (dated data): an order above the single limit may hold one item only and then bears full tax; the yearly limit of
a person is known to customs alone, so the sum over what was given can only be too high, never proved low enough.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec

from suyuan.customs.findings import Finding, error, warning
from suyuan.customs.message import Part, Record, read_message
from suyuan.customs.values import is_decimal, read_time
from suyuan.errors import SuyuanError

_KINDS = {"CEB311": "order", "CEB411": "payment", "CEB511": "waybill", "CEB621": "list"}
_NUMBER = {
    "order": ("ebpCode", "orderNo"),
    "payment": ("payCode", "payTransactionId"),
    "waybill": ("logisticsCode", "logisticsNo"),
    "list": ("ebpCode", "orderNo"),
}
_NAMES_ZH = {"order": "订单", "payment": "支付单", "waybill": "运单", "list": "清单"}
_BEIJING = timedelta(hours=8)


class Limits(msgspec.Struct, frozen=True):
    """What an order and a person in a year may amount to, in yuan, since a day."""

    since: date
    per_order: Decimal
    per_person_year: Decimal


class Paper(msgspec.Struct, frozen=True):
    """One record of one file: ``kind`` is order, payment, waybill or list."""

    file: str
    kind: str
    record: Record

    def value(self, *names: str) -> str:
        """The first of the head's fields that has a value."""
        return self.record.head.value(*names)

    def path(self, name: str) -> str:
        """The place of a field of the head."""
        return f"{self.record.head.path}/{name}"


FileFinding = tuple[str, Finding]


@cache
def limits() -> tuple[Limits, ...]:
    """The limits, newest first."""
    text = (files("suyuan.customs") / "data" / "limits.toml").read_text("utf-8")
    rows = [
        Limits(date.fromisoformat(row["from"]), Decimal(row["per_order"]), Decimal(row["per_person_year"]))
        for row in tomllib.loads(text)["limits"]
    ]
    return tuple(sorted(rows, key=lambda row: row.since, reverse=True))


def limits_on(day: date) -> Limits | None:
    """The limits of a day; None before there were any."""
    return next((row for row in limits() if row.since <= day), None)


def papers_of(data: bytes, file: str) -> list[Paper]:
    """The orders, payments, waybills and lists of a message; none for what is no such message or cannot be read.

    A deletion and a draft are not compared: they will not be there.
    """
    try:
        message = read_message(data)
    except SuyuanError:
        return []
    kind = _KINDS.get(message.table.kind)
    if kind is None:
        return []
    return [
        Paper(file, kind, record)
        for record in message.records
        if record.head.value("appType") != "3" and record.head.value("appStatus") != "1"
    ]


def _decimal(part: Part, name: str) -> Decimal | None:
    text = part.value(name)
    return Decimal(text) if is_decimal(text, 24, 10) else None


def _sum(lines: Iterable[Part], name: str) -> Decimal | None:
    amounts = [_decimal(line, name) for line in lines]
    return sum((one for one in amounts if one is not None), Decimal(0)) if None not in amounts else None


def _duplicates(papers: list[Paper]) -> Iterator[FileFinding]:
    seen: dict[tuple[str, ...], Paper] = {}
    for paper in papers:
        first, second = _NUMBER[paper.kind]
        key = (paper.kind, paper.value(first), paper.value(second), paper.value("appType"))
        if not paper.value(second):
            continue
        before = seen.setdefault(key, paper)
        if before is not paper:
            where = "" if before.file == paper.file else f" of {before.file}"
            yield (
                paper.file,
                error(
                    "customs.match.duplicate",
                    paper.path(second),
                    f"The same {paper.kind} stands twice: first at {before.record.path}{where}.",
                    "Send each once; a change has appType 2.",
                    first=f"{before.record.path}{'' if before.file == paper.file else f'，{before.file}'}",
                ),
            )


def _differs(paper: Paper, field: str, other: Paper, other_field: str, code: str) -> Iterator[FileFinding]:
    mine, theirs = paper.value(field).strip(), other.value(other_field).strip()
    if mine and theirs and mine.upper() != theirs.upper():
        yield (
            paper.file,
            error(
                code,
                paper.path(field),
                f"{field} is not {other_field} of the {other.kind} at {other.path(other_field)}"
                f" in {other.file}.",
                f"Correct the one that is wrong; customs compares {paper.kind} and {other.kind}.",
                name=field,
                other=other_field,
                file=other.file,
            ),
        )


def _amount_differs(paper: Paper, field: str, other: Paper, other_field: str) -> Iterator[FileFinding]:
    mine, theirs = _decimal(paper.record.head, field), _decimal(other.record.head, other_field)
    yield from _amounts(paper, field, mine, other, other_field, theirs)


def _amounts(
    paper: Paper, field: str, mine: Decimal | None, other: Paper, other_field: str, theirs: Decimal | None
) -> Iterator[FileFinding]:
    if mine is not None and theirs is not None and mine != theirs:
        yield (
            paper.file,
            error(
                "customs.match.amount",
                paper.path(field),
                f"{field} is {mine}, but {other_field} of the {other.kind} in {other.file} is {theirs}.",
                f"Correct the amounts; customs compares {paper.kind} and {other.kind}.",
                name=field,
                found=str(mine),
                other=other_field,
                wanted=str(theirs),
                file=other.file,
            ),
        )


def _payment(order: Paper, payment: Paper) -> Iterator[FileFinding]:
    yield from _differs(payment, "payerIdNumber", order, "buyerIdNumber", "customs.match.buyer")
    yield from _differs(payment, "payerName", order, "buyerName", "customs.match.buyer")
    yield from _differs(payment, "ebpCode", order, "ebpCode", "customs.match.platform")
    yield from _differs(payment, "payTransactionId", order, "payTransactionId", "customs.match.number")
    yield from _amount_differs(payment, "amountPaid", order, "acturalPaid")


def _list(order: Paper, listed: Paper) -> Iterator[FileFinding]:
    yield from _differs(listed, "buyerIdNumber", order, "buyerIdNumber", "customs.match.buyer")
    yield from _differs(listed, "buyerName", order, "buyerName", "customs.match.buyer")
    yield from _differs(listed, "ebcCode", order, "ebcCode", "customs.match.seller")
    yield from _amount_differs(listed, "freight", order, "freight")
    yield from _goods(order, listed)


def _by_item(lines: list[Part]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[line.value("itemNo") or line.value("barCode")] += _decimal(line, "qty") or Decimal(0)
    return dict(found)


def _goods(order: Paper, listed: Paper) -> Iterator[FileFinding]:
    ordered, declared = order.record.lines("OrderList"), listed.record.lines("InventoryList")
    yield from _amounts(
        listed, "totalPrice", _sum(declared, "totalPrice"), order, "totalPrice", _sum(ordered, "totalPrice")
    )
    mine, theirs = _by_item(declared), _by_item(ordered)
    listed_items = set(mine)
    if "" in mine or "" in theirs:
        return  # goods without a number of their own cannot be told apart
    for line in declared:
        item = line.value("itemNo") or line.value("barCode")
        if item in mine and mine[item] != theirs.get(item):
            stated = theirs.get(item)
            yield (
                listed.file,
                error(
                    "customs.match.goods",
                    f"{line.path}/qty",
                    f"The list declares {mine[item]} of this item, the order in {order.file}"
                    f" {'does not have it' if stated is None else f'has {stated}'}.",
                    "Declare what was ordered, or correct the order first.",
                    found=f"清单申报 {mine[item]}",
                    wanted=f"{order.file} 中的订单{'没有该商品' if stated is None else f'为 {stated}'}",
                ),
            )
            mine.pop(item)
    for line in ordered:
        item = line.value("itemNo") or line.value("barCode")
        if item not in listed_items:
            yield (
                order.file,
                error(
                    "customs.match.goods",
                    line.path,
                    f"The order has an item that the list in {listed.file} does not declare.",
                    "Declare what was ordered, or correct the order first.",
                    found="订单有此商品",
                    wanted=f"{listed.file} 中的清单没有申报",
                ),
            )


def _waybill(listed: Paper, waybill: Paper) -> Iterator[FileFinding]:
    yield from _differs(waybill, "logisticsNo", listed, "logisticsNo", "customs.match.waybill")
    yield from _differs(waybill, "logisticsCode", listed, "logisticsCode", "customs.match.waybill")
    yield from _differs(waybill, "consigneeAddress", listed, "consigneeAddress", "customs.match.consignee")


def _recipient(order: Paper, waybill: Paper) -> Iterator[FileFinding]:
    yield from _differs(waybill, "consignee", order, "consignee", "customs.match.consignee")
    yield from _differs(waybill, "consigneeTelephone", order, "consigneeTelephone", "customs.match.consignee")


def _alone(by_kind: dict[str, dict[str, Paper]]) -> Iterator[FileFinding]:
    """Papers whose counterpart is missing though others of its kind are there."""
    orders = by_kind["order"]
    for kind in ("payment", "list"):
        if not orders or not by_kind[kind]:
            continue
        for number, order in orders.items():
            if number not in by_kind[kind]:
                yield (
                    order.file,
                    warning(
                        "customs.match.alone",
                        order.path("orderNo"),
                        f"No {kind} of this order is among the files.",
                        f"Send the {kind} too; customs waits for it.",
                        paper=_NAMES_ZH[kind],
                    ),
                )
        for number, paper in by_kind[kind].items():
            if number not in orders:
                yield (
                    paper.file,
                    warning(
                        "customs.match.alone",
                        paper.path("orderNo"),
                        f"The order of this {kind} is not among the files.",
                        "Send the order too; customs waits for it.",
                        paper=_NAMES_ZH["order"],
                    ),
                )


def worth_of(paper: Paper) -> Decimal | None:
    """What the limits count: the goods with freight and insurance."""
    head = paper.record.head
    goods = (
        _sum(paper.record.lines("InventoryList"), "totalPrice")
        if paper.kind == "list"
        else _decimal(head, "goodsValue")
    )
    extra = [_decimal(head, name) for name in ("freight", "insuredFee") if head.value(name)]
    if goods is None or None in extra:
        return None
    return goods + sum((one for one in extra if one is not None), Decimal(0))


def _limits(papers: list[Paper], by_kind: dict[str, dict[str, Paper]]) -> Iterator[FileFinding]:
    sums: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for paper in papers:
        number = paper.value("orderNo")
        if paper.kind not in ("order", "list") or (paper.kind == "order" and number in by_kind["list"]):
            continue
        moment, worth = read_time(paper.value("appTime")), worth_of(paper)
        if moment is None or worth is None:
            continue
        day = (moment.time + _BEIJING).date()
        bound = limits_on(day)
        if bound is None:
            continue
        if worth > bound.per_order:
            yield paper.file, _over(paper, worth, bound)
        person = (paper.value("buyerIdNumber").upper(), day.year)
        before, sums[person] = sums[person], sums[person] + worth
        if person[0] and before <= bound.per_person_year < sums[person]:
            yield (
                paper.file,
                error(
                    "customs.limit.person_year",
                    paper.path("buyerIdNumber"),
                    f"With this one the buyer's papers here come to {sums[person]} yuan in {day.year};"
                    f" {bound.per_person_year} are allowed.",
                    "Import it as general trade, or leave it out.",
                    found=str(sums[person]),
                    year=str(day.year),
                    wanted=str(bound.per_person_year),
                ),
            )


def _over(paper: Paper, worth: Decimal, bound: Limits) -> Finding:
    lines = paper.record.lines("InventoryList") or paper.record.lines("OrderList")
    single = len(lines) == 1 and _decimal(lines[0], "qty") == 1
    field = "goodsValue" if paper.kind == "order" else "freight"
    reason = f"The order comes to {worth} yuan; {bound.per_order} are allowed."
    if single:
        return warning(
            "customs.limit.order_single",
            paper.path(field),
            f"{reason} A single item that cannot be divided may still be imported.",
            "Full import duty and tax are due on it.",
            found=str(worth),
            wanted=str(bound.per_order),
        )
    return error(
        "customs.limit.order",
        paper.path(field),
        reason,
        "Divide the order, or import it as general trade.",
        found=str(worth),
        wanted=str(bound.per_order),
    )


def match(papers: Iterable[Paper]) -> list[FileFinding]:
    """Everything in which the papers contradict each other, repeat each other or go beyond the limits."""
    every = list(papers)
    found = list(_duplicates(every))
    by_kind: dict[str, dict[str, Paper]] = {kind: {} for kind in _NUMBER}
    for paper in every:
        if paper.value("orderNo"):
            by_kind[paper.kind].setdefault(paper.value("orderNo"), paper)
    waybills = {paper.value("logisticsNo"): paper for paper in every if paper.kind == "waybill"}
    for number, order in by_kind["order"].items():
        if number in by_kind["payment"]:
            found += _payment(order, by_kind["payment"][number])
        if number in by_kind["list"]:
            found += _list(order, by_kind["list"][number])
        if number in by_kind["waybill"]:
            found += _recipient(order, by_kind["waybill"][number])
    for number, listed in by_kind["list"].items():
        waybill = by_kind["waybill"].get(number) or waybills.get(listed.value("logisticsNo"))
        if waybill is not None:
            found += _waybill(listed, waybill)
    found += _alone(by_kind)
    found += _limits(every, by_kind)
    return found
