"""What the demo says of a purchase: whether its papers agree, and what an order page shows for an order number.

An order page knows the number of an order and no label. It looks the number up by POST and gets the goods, or, where
nothing was labelled, the parcel. Of a parcel without a label only its own papers are told: where the goods came from
is named as open, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.markup import escape

from suyuan.cli.context import say
from suyuan.cli.journey import Journey, Paper
from suyuan.customs.matching import limits_on, match, papers_of, worth_of
from suyuan.customs.values import read_time

_KINDS = {"order": "订单", "payment": "支付单", "waybill": "运单", "list": "清单"}


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """The papers of the followed order against each other: the kinds that are there, what contradicts, its worth.

    ``worth`` and ``limit`` are yuan of one order, goods with freight and insurance; empty where nothing is known.
    """

    kinds: tuple[str, ...]
    contradictions: tuple[str, ...]
    worth: str = ""
    limit: str = ""


class OrderTrace(msgspec.Struct, frozen=True, kw_only=True):
    """What an order page shows for an order; its number is masked. ``labelled`` if its goods bear a code."""

    number: str
    labelled: bool
    facts: int
    ambiguities: tuple[dict[str, Any], ...] = ()


def purchase_of(journey: Journey, papers: Sequence[Paper]) -> Purchase | None:
    """The papers of the followed order as they lie in the folder; None where the order is not there."""
    records = [
        record
        for paper in papers
        if not paper.missing and paper.path.suffix == ".xml"
        for record in papers_of(paper.path.read_bytes(), paper.name)
        if record.value("orderNo") == journey.order
    ]
    orders = [record for record in records if record.kind == "order"]
    if not orders:
        return None
    worth, moment = worth_of(orders[0]), read_time(orders[0].value("appTime"))
    bound = limits_on(moment.time.date()) if moment else None
    found = {record.kind for record in records}
    return Purchase(
        kinds=tuple(kind for kind in _KINDS if kind in found),
        contradictions=tuple(finding.code for _, finding in match(records)),
        worth=str(worth) if worth is not None else "",
        limit=str(bound.per_order) if bound is not None else "",
    )


def order_trace(
    number: str, found: dict[str, Any], read_trace: Callable[[str], dict[str, Any]]
) -> OrderTrace | None:
    """What an order page makes of a look-up: the trace of the first item, else of the parcel; None without either."""
    uses = [use for document in found["documents"] for use in document["uses"]]
    things = [thing for use in uses for thing in use["things"] if "/21/" in thing]
    parcels = [parcel for use in uses for parcel in use["parcels"]]
    if not things and not parcels:
        return None
    trace = read_trace((things or parcels)[0])
    return OrderTrace(
        number=number,
        labelled=bool(things),
        facts=len(trace["facts"]),
        ambiguities=tuple(trace["ambiguities"]),
    )


def purchase_lines(purchase: Purchase | None) -> Iterator[str]:
    """Whether the papers of the purchase agree, and how far it is from the limit of one order."""
    if purchase is None:
        return
    names = say(", ", "、").join(say(kind, _KINDS[kind]) for kind in purchase.kinds)
    if purchase.contradictions:
        codes = escape(", ".join(purchase.contradictions))
        judged = say(f"[yellow]contradict each other[/]: {codes}", f"[yellow]相互矛盾[/]：{codes}")
    elif len(purchase.kinds) > 1:
        judged = say("agree", "一致")
    else:
        judged = say("alone", "尚无可比对的单证")
    worth = ""
    if purchase.worth and purchase.limit:
        amount, limit = f"{Decimal(purchase.worth):,.2f}", f"{Decimal(purchase.limit):,}"
        worth = say(f"; {amount} of {limit} yuan an order", f"；{amount} 元，单次限值 {limit} 元")
    yield say(f"  purchase: {names} {judged}{worth}", f"  三单对碰：{names}{judged}{worth}")


def order_lines(orders: Sequence[OrderTrace]) -> Iterator[str]:
    """What an order page shows, an order a line."""
    for order in orders:
        label = (
            say("labelled, its item", "有标签，追溯到商品")
            if order.labelled
            else say("[yellow]no label[/], its parcel", "[yellow]无标签[/]，追溯到包裹")
        )
        yield say(
            f"  order page {escape(order.number)}: {label}, {order.facts} facts",
            f"  订单页 {escape(order.number)}：{label}，{order.facts} 条事实",
        )
        for one in order.ambiguities:
            yield "    [yellow]" + escape(say(one["reason_en"], one["reason_zh"])) + "[/]"
