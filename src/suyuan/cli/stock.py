"""``stock``: what should be there, what is there, and where the two went apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from suyuan.cli.context import AsJson, DataDir, console, run, say, show

if TYPE_CHECKING:
    from suyuan.compliance.stock_model import Difference, LedgerStock, Stock


def stock(
    gtin: Annotated[str, typer.Option("--gtin", help="GTIN, 14 digits.")] = "",
    lot: Annotated[str, typer.Option("--lot", help="Lot number.")] = "",
    ledger_item: Annotated[
        str, typer.Option("--ledger-item", metavar="LEDGER:ITEM", help="Ledger and item (账册项号).")
    ] = "",
    facility: Annotated[str, typer.Option("--facility", metavar="URI", help="The warehouse.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stock by lot and ledger item against lists, parcels and counts; each difference with its step (库存勾稽).

    \b
      suyuan stock --ledger-item T5165W000123:17
      suyuan stock --gtin 09506000134352 --lot L1 --facility https://id.gs1.org/414/9520000000035
    """

    from suyuan.compliance.stock import read_query, stock_of

    query = read_query(gtin, lot, ledger_item, facility)
    found = run(data_dir, lambda services: stock_of(services.pool, query))
    if as_json:
        show(found, True, str)
    else:
        _print(found)


def _print(found: Stock) -> None:
    screen = console()
    ledgers = [ledger for ledger in found.ledgers if _is_known(ledger)]
    if not found.lots and not ledgers:
        screen.print(
            say(
                "Nothing of that is in stock or on a ledger. Check number and data directory; stock is told by entry"
                " lists, tallies, counts and codes (suyuan capture).",
                "没有相关库存或账册记录。请核对编号和数据目录；库存来自"
                "核注清单、理货单、盘点和编码（suyuan capture）。",
            )
        )
    for ledger in ledgers:
        title = f"{say('Ledger item', '账册项号')} {ledger.ledger_item}"
        screen.print(title, style="bold", markup=False)
        _figures(
            ("entered", "入账", ledger.entered), ("received", "实收", ledger.received),
            ("damaged", "残损", ledger.damaged), ("packed", "装箱", ledger.packed),
            ("parcel lists", "包裹清单", ledger.declared), ("exit lists", "出区清单", ledger.exited),
            ("through the gate", "已过卡", ledger.passed), ("returned", "退回", ledger.returned),
            ("should be there", "应存", ledger.expected),
        )  # fmt: skip
        _differences(ledger.differences)
    for row in found.lots:
        place = row.facility or say("place not known", "地点不详")
        title = f"{say('Lot', '批号')} {row.lot}  {row.gtin}  {row.ledger_item}  {place}"
        screen.print(title, style="bold", markup=False)
        _figures(
            ("received", "实收", row.received), ("damaged", "残损", row.damaged), ("active", "激活", row.active),
            ("packed", "装箱", row.packed), ("returned", "退回", row.returned),
            ("should be there", "应存", row.expected), ("counted", "盘点", row.counted),
            ("so there now", "现存", row.present),
        )  # fmt: skip
        _differences(row.differences)
    if found.truncated:
        screen.print(say("There are more lots than are shown.", "批次过多，未全部显示。"), style="yellow")


def _is_known(ledger: LedgerStock) -> bool:
    """Whether any paper names it: one that none does has neither figures nor differences."""
    told = (
        ledger.entered, ledger.received, ledger.damaged, ledger.packed, ledger.declared, ledger.exited,
        ledger.passed, ledger.returned, ledger.expected,
    )  # fmt: skip
    return any(value not in (None, "", "0") for value in told) or bool(ledger.differences)


def _figures(*figures: tuple[str, str, str]) -> None:
    parts = [f"{say(english, chinese)} {value or '-'}" for english, chinese, value in figures]
    console().print("  " + "  ".join(parts), markup=False)


def _differences(differences: tuple[Difference, ...]) -> None:
    for one in differences:
        word, style = say("difference", "差异"), "yellow"
        if one.alarm:
            word, style = say("ALARM", "警报"), "bold red"
        elif one.explained:
            word, style = say("explained", "已说明"), "dim"
        text = say(one.reason_en, one.reason_zh)
        console().print(f"  {word} [{one.step}] {text}", style=style, markup=False)
