"""What a declarant should look at twice before sending a message: rules that warn and never refuse.

The order of the fields is that of the tables; customs judges a message by a schema, in which it counts. Amounts of
lines, numbers of lines, the guarantor of the tax and the firm that transmits follow the rules in the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from suyuan.customs.findings import Finding, warning
from suyuan.customs.message import Message, Part, Record
from suyuan.customs.values import is_decimal


class _Lines(NamedTuple):
    """A part of many lines: what numbers them, and their amounts."""

    name: str
    number: str
    amounts: tuple[str, str, str] = ("qty", "price", "totalPrice")


_LINES = tuple(
    _Lines(name, "gnum") for name in ("OrderList", "InventoryList", "InvtRefundList", "DeliveryList")
)
_BONDED_LINES = _Lines("InvtListType", "GdsSeqno", ("DclQty", "DclUprcAmt", "DclTotalAmt"))
_DIRECTION = re.compile(r"QD\d{6}([IE])\d{9}")
_TRANSFER = ("copCode", "copName", "dxpMode", "dxpId")
_GUARANTORS = ("ebpCode", "ebcCode", "logisticsCode")
_IMPORT_MODES = frozenset({"1210", "1239", "9610"})


def check_declaration(message: Message) -> Iterator[Finding]:
    """Oddities of a message of requests: its records, then who transmits it."""
    for record in message.records:
        for part in record.parts():
            yield from _check_order(part)
        for lines in _LINES:
            yield from _check_lines(record, lines)
        yield from _check_list(record)
    yield from _check_transfer(message)


def check_bonded_list(record: Record) -> Iterator[Finding]:
    """Oddities of a bonded list: its direction, its lines, parcels that stand in it twice."""
    head = record.head
    number, direction = head.value("BondInvtNo"), head.value("ImpexpMarkcd")
    stated = _DIRECTION.fullmatch(number)
    if stated is not None and direction and stated[1] != direction:
        yield warning(
            "customs.field.direction",
            f"{head.path}/ImpexpMarkcd",
            f"ImpexpMarkcd is {direction[:3]}, but the number is that of a list of direction {stated[1]}.",
            "Compare the number; I comes into the zone, E leaves it.",
            found=direction[:3],
            wanted=stated[1],
        )
    yield from _check_lines(record, _BONDED_LINES)
    for line in record.lines(_BONDED_LINES.name):
        weights = [line.value(name) for name in ("GrossWt", "NetWt")]
        if all(text and is_decimal(text, 30, 10) for text in weights) and Decimal(weights[0]) < Decimal(
            weights[1]
        ):
            yield warning(
                "customs.field.weights", f"{line.path}/NetWt", "The net weight exceeds the gross weight."
            )
    seen: set[str] = set()
    for parcel in record.lines("InvtCbecBillType"):
        bill = parcel.value("CbecBillNo")
        if bill and bill in seen:
            yield warning(
                "customs.line.repeated",
                f"{parcel.path}/CbecBillNo",
                "This parcel's list stands in the bonded list already; it counts once.",
                "Remove the repetition.",
            )
        seen.add(bill)


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
                name=name,
                before=before,
            )
            return
        before = name


def _check_lines(record: Record, lines: _Lines) -> Iterator[Finding]:
    seen: dict[str, Part] = {}
    for line in record.lines(lines.name):
        number = line.value(lines.number)
        if number and seen.setdefault(number, line) is not line:
            yield warning(
                "customs.line.number",
                f"{line.path}/{lines.number}",
                f"Line number {number[:10]} is also that of {seen[number].path}.",
                "Number the lines from 1 on.",
                number=number[:10],
                other=seen[number].path,
            )
        yield from _check_amount(line, lines.amounts)


def _check_amount(line: Part, names: tuple[str, str, str]) -> Iterator[Finding]:
    """A quantity of nothing, and a total that is not quantity times price within the rounding of the price."""
    texts = [line.value(name) for name in names]
    if texts[0] and is_decimal(texts[0], 30, 10) and Decimal(texts[0]) == 0:
        yield warning(
            "customs.line.nothing",
            f"{line.path}/{names[0]}",
            "The quantity is 0.",
            "Leave the line out, or count.",
        )
        return
    if not all(text and is_decimal(text, 30, 10) and text[0] != "-" for text in texts):
        return
    quantity, price, total = (Decimal(text) for text in texts)
    exponent = price.as_tuple().exponent
    rounding = Decimal(5).scaleb(min(int(exponent), -2) - 1)
    if abs(quantity * price - total) > quantity * rounding + Decimal("0.005"):
        yield warning(
            "customs.line.total",
            f"{line.path}/{names[2]}",
            f"{names[2]} is {total}, but {names[0]} times {names[1]} is {(quantity * price).normalize():f}.",
            "Correct the one that is wrong.",
            total=str(total),
            product=f"{(quantity * price).normalize():f}",
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
            mode=mode[:10],
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
            part="BaseTransfer (copCode, copName, dxpMode, dxpId)",
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
                part=name,
            )
