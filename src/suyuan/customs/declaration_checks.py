"""What a declarant should look at twice before sending a CEB message: rules that warn and never refuse.

The order of the fields is that of the tables; customs judges a message by a schema, in which it counts. Amounts of
lines, numbers of lines, the guarantor of the tax and the firm that transmits follow the rules in the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from suyuan.customs.findings import Finding, warning
from suyuan.customs.message import Message, Part, Record
from suyuan.customs.values import is_decimal

_LINES = ("OrderList", "InventoryList", "InvtRefundList", "DeliveryList")
_TRANSFER = ("copCode", "copName", "dxpMode", "dxpId")
_GUARANTORS = ("ebpCode", "ebcCode", "logisticsCode")
_IMPORT_MODES = frozenset({"1210", "1239", "9610"})


def check_declaration(message: Message) -> Iterator[Finding]:
    """Oddities of a message of requests: its records, then who transmits it."""
    for record in message.records:
        for part in record.parts():
            yield from _check_order(part)
        for name in _LINES:
            yield from _check_lines(record.lines(name))
        yield from _check_list(record)
    yield from _check_transfer(message)


def _check_order(part: Part) -> Iterator[Finding]:
    place = {name: number for number, name in enumerate(part.rules)}
    before = ""
    for name, field in part.fields.items():
        if name not in place:
            continue
        if before and place[name] < place[before]:
            yield warning(
                "customs.field.order",
                field.path,
                f"{name} stands after {before}; the specification has it before.",
                "Keep the order of the specification: customs checks messages against a schema.",
            )
            return
        before = name


def _check_lines(lines: list[Part]) -> Iterator[Finding]:
    seen: dict[str, Part] = {}
    for line in lines:
        number = line.value("gnum")
        if number and seen.setdefault(number, line) is not line:
            yield warning(
                "customs.line.number",
                f"{line.path}/gnum",
                f"Line number {number[:10]} is also that of {seen[number].path}.",
                "Number the lines from 1 on.",
            )
        yield from _check_amount(line)


def _check_amount(line: Part) -> Iterator[Finding]:
    """A quantity of nothing, and a total that is not quantity times price within the rounding of the price."""
    texts = [line.value(name) for name in ("qty", "price", "totalPrice")]
    if texts[0] and is_decimal(texts[0], 30, 10) and Decimal(texts[0]) == 0:
        yield warning(
            "customs.line.nothing", f"{line.path}/qty", "The quantity is 0.", "Leave the line out, or count."
        )
        return
    if not all(text and is_decimal(text, 30, 10) for text in texts):
        return
    quantity, price, total = (Decimal(text) for text in texts)
    exponent = price.as_tuple().exponent
    rounding = Decimal(5).scaleb(min(int(exponent), -2) - 1)
    if abs(quantity * price - total) > quantity * rounding + Decimal("0.005"):
        yield warning(
            "customs.line.total",
            f"{line.path}/totalPrice",
            f"totalPrice is {total}, but qty times price is {(quantity * price).normalize():f}.",
            "Correct the one that is wrong.",
        )


def _check_list(record: Record) -> Iterator[Finding]:
    head = record.head
    mode, guarantor = head.value("tradeMode"), head.value("assureCode")
    if mode and mode not in _IMPORT_MODES:
        yield warning(
            "customs.field.mode_unknown",
            f"{head.path}/tradeMode",
            f"{mode[:10]} is no mode of cross-border e-commerce imports; what it asks for was not checked.",
            "Send 1210 or 1239 for bonded goods, 9610 for direct mail.",
        )
    firms = {head.value(name).upper() for name in _GUARANTORS} - {""}
    if guarantor and "tradeMode" in head.rules and guarantor.upper() not in firms:
        yield warning(
            "customs.field.guarantor",
            f"{head.path}/assureCode",
            "The tax is guaranteed by none of the firms of this list.",
            "Send the customs code of its platform, e-commerce firm or carrier.",
        )


def _check_transfer(message: Message) -> Iterator[Finding]:
    transfer = message.root.find("BaseTransfer")
    path = f"/{message.root.name}/BaseTransfer"
    if transfer is None:
        yield warning(
            "customs.transfer.missing",
            path,
            "The message does not say who transmits it.",
            "Add BaseTransfer with copCode, copName, dxpMode and dxpId.",
        )
        return
    sent = {child.name: child.text for child in transfer.children}
    for name in _TRANSFER:
        if not sent.get(name, "").strip():
            yield warning(
                "customs.transfer.missing",
                f"{path}/{name}",
                f"{name} is mandatory and empty.",
                f"Fill in {name}.",
            )
