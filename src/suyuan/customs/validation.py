"""Judging a whole message: every field, then the rules between fields.

Errors stop a message, warnings do not. A declaration is judged strictly; in an authority's receipt
(``receipt`` in its table) only what an event needs is an error, since nobody can have it written again.
Reasons never repeat a personal value. Sources: the field tables (see ``tables``), GB 11643 and GB 32100 for
check characters, the CEB rules for 1210 and 9610.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from suyuan.customs.codes import CodeLists
from suyuan.customs.declaration_checks import check_bonded_list, check_declaration
from suyuan.customs.field_checks import check_field, check_presence
from suyuan.customs.findings import Finding, error, warning
from suyuan.customs.message import Message, Part, Record
from suyuan.customs.values import is_decimal

BONDED_MODES = frozenset({"1210", "1239"})
_BONDED_HEAD = ("emsNo", "areaCode", "areaName")
_DIRECT_HEAD = ("trafNo", "voyageNo", "billNo")


def _amounts(part: Part, *names: str) -> list[Decimal] | None:
    values = [part.value(name) or "0" for name in names]
    return (
        [Decimal(value) for value in values] if all(is_decimal(value, 30, 10) for value in values) else None
    )


def _check_order(record: Record) -> Iterator[Finding]:
    head = record.head
    amounts = _amounts(head, "goodsValue", "freight", "taxTotal", "discount", "acturalPaid")
    if amounts is not None and head.value("acturalPaid"):
        goods, freight, tax, discount, paid = amounts
        if goods + freight + tax - discount != paid:
            yield error(
                "customs.field.amount_paid",
                f"{head.path}/acturalPaid",
                f"acturalPaid is {paid}, but goodsValue + freight + taxTotal - discount is"
                f" {goods + freight + tax - discount}.",
                "Correct the amounts; acturalPaid must also equal the payment's amountPaid.",
                paid=str(paid),
                due=str(goods + freight + tax - discount),
            )
    totals = [_amounts(line, "totalPrice") for line in record.lines("OrderList")]
    if amounts is not None and totals and all(totals):
        total = sum((total[0] for total in totals if total), Decimal(0))
        if total != amounts[0]:
            yield warning(
                "customs.field.lines_total",
                f"{head.path}/goodsValue",
                f"goodsValue is {amounts[0]}, but the lines add up to {total}.",
                stated=str(amounts[0]),
                total=str(total),
            )


def _needed(part: Part, mode: str, *names: str) -> Iterator[Finding]:
    for name in names:
        if not part.value(name):
            yield error(
                "customs.field.mode_missing",
                f"{part.path}/{name}",
                f"{name} is mandatory in trade mode {mode}.",
                f"Fill in {name}, or correct tradeMode.",
                name=name,
                mode=mode,
            )


def _forbidden(part: Part, mode: str, *names: str) -> Iterator[Finding]:
    for name in names:
        if part.value(name):
            yield error(
                "customs.field.mode_forbidden",
                f"{part.path}/{name}",
                f"{name} must be empty in trade mode {mode}.",
                f"Remove {name}, or correct tradeMode.",
                name=name,
                mode=mode,
            )


def _check_import_list(record: Record) -> Iterator[Finding]:
    head, lines = record.head, record.lines("InventoryList")
    mode = head.value("tradeMode")
    if mode in BONDED_MODES:
        yield from _needed(head, mode, *_BONDED_HEAD)
        yield from _forbidden(head, mode, *_DIRECT_HEAD)
        for line in lines:
            yield from _needed(line, mode, "itemRecordNo")
        if head.value("country") not in ("", "142"):
            yield error(
                "customs.field.mode_value",
                f"{head.path}/country",
                f"The country of dispatch must be 142 in trade mode {mode}.",
                "Send 142 in the head; the lines keep the country of origin.",
                mode=mode,
                wanted="表头填 142，原产国填在表体",
            )
    elif mode == "9610":
        yield from _needed(head, mode, *_DIRECT_HEAD)
        yield from _forbidden(head, mode, *_BONDED_HEAD)
        for line in lines:
            yield from _forbidden(line, mode, "itemRecordNo")
        if head.value("country") == "142":
            yield error(
                "customs.field.mode_value",
                f"{head.path}/country",
                "The country of dispatch cannot be 142 in trade mode 9610.",
                "Send the country from which the parcel was dispatched.",
                mode=mode,
                wanted="填包裹实际起运国，不能为 142",
            )
    weights = _amounts(head, "grossWeight", "netWeight")
    if weights is not None and weights[0] < weights[1]:
        yield warning(
            "customs.field.weights", f"{head.path}/netWeight", "The net weight exceeds the gross weight."
        )


def _check_bonded_list(record: Record) -> Iterator[Finding]:
    head = record.head
    if (
        head.value("ImpexpMarkcd") == "E"
        and head.value("SupvModecd") in BONDED_MODES
        and not record.lines("InvtCbecBillType")
    ):
        yield warning(
            "customs.field.parcel_lists_absent",
            f"{record.path}/InvtCbecBillType",
            "An exit list of e-commerce goods names no parcel list, so that no parcel is tied to it.",
        )
    yield from check_bonded_list(record)


_RULES: dict[str, Callable[[Record], Iterator[Finding]]] = {
    "CEB311": _check_order,
    "CEB621": _check_import_list,
    "SAS/INV101": _check_bonded_list,
}
# Parts without which a declaration declares nothing.
_LINES_NEEDED = {
    "CEB311": "OrderList",
    "CEB621": "InventoryList",
    "CEB625": "InvtRefundList",
    "CEB711": "DeliveryList",
    "SAS/INV101": "InvtListType",
}


def _check_record(message: Message, record: Record, codes: CodeLists) -> Iterator[Finding]:
    table = message.table
    lines = _LINES_NEEDED.get(table.kind)
    if lines and not record.lines(lines):
        yield error(
            "customs.record.no_lines",
            f"{record.path}/{lines}",
            f"The record has no {lines}.",
            f"Add {lines}.",
            part=lines,
        )
    for stray in record.loose:
        if stray.name == table.head:
            yield error(
                "customs.record.repeated_head",
                stray.path,
                f"The record has more than one {table.head}, so that its values are ambiguous.",
                "Send each record in an element of its own.",
            )
        elif table.family == "ceb" or stray.element.children:
            yield warning(
                "customs.field.unknown",
                stray.path,
                f"No table knows {stray.name}; it is kept as personal data.",
            )
    for part in record.parts():
        yield from check_presence(part)
        for field in part.fields.values():
            yield from check_field(field, part, codes, table.receipt)
    rule = _RULES.get(table.kind)
    if rule is not None:
        yield from rule(record)


def findings_of(message: Message, codes: CodeLists) -> tuple[Finding, ...]:
    """Every fault and oddity of the message, in the order of its records."""
    findings: list[Finding] = [
        warning("customs.record.unknown", path, "This element is no record of the message and is only kept.")
        for path in message.strangers
    ]
    for record in message.records:
        findings.extend(_check_record(message, record, codes))
    if message.table.family == "ceb" and not message.table.receipt:
        findings.extend(check_declaration(message))
    return tuple(findings)
