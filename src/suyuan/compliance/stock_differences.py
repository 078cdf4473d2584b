"""Differences of stock in words, each with the step where it arose. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from suyuan.compliance.discrepancies import plain
from suyuan.compliance.stock_figures import ZERO
from suyuan.compliance.stock_ledger import LedgerPapers
from suyuan.compliance.stock_model import Difference, Step


def _said(
    step: Step, code: str, quantity: Decimal, en: str, zh: str, references: Iterable[str] = (), **more: bool
) -> Difference:
    return Difference(
        step=step,
        code=code,
        quantity=plain(quantity),
        reason_en=en,
        reason_zh=zh,
        references=tuple(sorted(references)),
        **more,
    )


def lot_differences(
    *, goods: Decimal | None, active: Decimal, coded: bool, expected: Decimal, counted: Decimal | None
) -> list[Difference]:
    """Of one lot: ``goods`` are the sound pieces that came in, ``expected`` and ``counted`` are of one moment."""
    found: list[Difference] = []
    if goods is not None and coded and active > goods:
        more = active - goods
        found.append(
            _said(
                "activation", "stock.codes.surplus", more,
                f"{plain(more)} more codes are active than sound pieces came in.",
                f"激活的追溯码比完好到货多 {plain(more)} 个。", alarm=True,
            )
        )  # fmt: skip
    if goods is not None and coded and active < goods:
        fewer = goods - active
        found.append(
            _said(
                "activation", "stock.activation.waiting", fewer,
                f"{plain(fewer)} pieces wait for the activation of their codes.",
                f"{plain(fewer)} 件尚未激活追溯码。", explained=True,
            )
        )  # fmt: skip
    if counted is not None and counted != expected:
        short = expected - counted
        word_en, word_zh = ("fewer", "少") if short > 0 else ("more", "多")
        found.append(
            _said(
                "storage", "stock.count.difference", short,
                f"The count found {plain(abs(short))} {word_en} pieces than should be there.",
                f"盘点比应存{word_zh} {plain(abs(short))} 件。",
            )
        )  # fmt: skip
    return found


def ledger_differences(
    papers: LedgerPapers,
    *,
    received: Decimal | None,
    damaged: Decimal,
    returned: Decimal,
    packed: Decimal,
    packed_listed: Decimal,
    coded: bool,
) -> list[Difference]:
    """Of one ledger item, in the order of the way through the warehouse."""
    found: list[Difference] = []
    entered = sum(papers.entries.values(), ZERO) if papers.entries else None
    exited = sum((one.quantity for one in papers.exits.values()), ZERO)
    if entered is not None and received is not None:
        found += _tally(papers, entered, received, damaged)
    if coded and exited > packed_listed:
        gap = exited - packed_listed
        found.append(
            _said(
                "packing", "stock.outflow.uncoded", gap,
                f"{plain(gap)} pieces are on exit lists and no code was packed into their parcels.",
                f"出区清单中有 {plain(gap)} 件没有追溯码装箱记录。", papers.exits, alarm=True,
            )
        )  # fmt: skip
    if packed > packed_listed:
        gap = packed - packed_listed
        found.append(
            _said(
                "exit-list", "stock.list.waiting", gap,
                f"{plain(gap)} packed pieces wait for an exit list.",
                f"已装箱的 {plain(gap)} 件尚未列入出区核注清单。", explained=True,
            )
        )  # fmt: skip
    found += _lists(papers)
    at_most = entered if entered is not None else received
    if at_most is not None and exited > at_most + returned:
        gap = exited - at_most - returned
        found.append(
            _said(
                "exit-list", "stock.exit.excess", gap,
                f"{plain(gap)} more pieces left the ledger than came in.",
                f"账册核扣比入账多 {plain(gap)} 件。", papers.exits, alarm=True,
            )
        )  # fmt: skip
    return found


def _tally(papers: LedgerPapers, entered: Decimal, received: Decimal, damaged: Decimal) -> list[Difference]:
    found: list[Difference] = []
    short = entered - received
    explained = min(damaged, short) if short > 0 else ZERO
    if explained:
        found.append(
            _said(
                "tally", "stock.tally.damaged", explained,
                f"{plain(explained)} pieces of the entry lists arrived damaged.",
                f"核注清单中有 {plain(explained)} 件到货残损。", papers.entries, explained=True,
            )
        )  # fmt: skip
    rest = short - explained
    if rest:
        word_en, word_zh = ("fewer", "少") if rest > 0 else ("more", "多")
        found.append(
            _said(
                "tally", "stock.tally.difference", rest,
                f"The tally found {plain(abs(rest))} {word_en} pieces than the entry lists state.",
                f"实收比核注清单{word_zh} {plain(abs(rest))} 件。", papers.entries,
            )
        )  # fmt: skip
    return found


def _lists(papers: LedgerPapers) -> list[Difference]:
    found: list[Difference] = []
    for uri, one in sorted(papers.exits.items()):
        known = [papers.declared[parcel] for parcel in one.parcels if parcel in papers.declared]
        # Parcels whose lists are not known here say nothing against the exit list.
        whole = bool(one.parcels) and one.parcels <= papers.waybills.keys() | papers.declared.keys()
        declared = sum(known, ZERO)
        if known and whole and declared != one.quantity:
            found.append(
                _said(
                    "exit-list", "stock.list.difference", one.quantity - declared,
                    f"The exit list takes {plain(one.quantity)}, the lists of its parcels {plain(declared)}.",
                    f"出区清单核扣 {plain(one.quantity)}，所含包裹清单合计 {plain(declared)}。", (uri,),
                )
            )  # fmt: skip
        if one.gate is not None and one.gate != one.quantity:
            found.append(
                _said(
                    "gate", "stock.gate.difference", one.quantity - one.gate,
                    f"The exit list takes {plain(one.quantity)}, its gate pass {plain(one.gate)}.",
                    f"出区清单核扣 {plain(one.quantity)}，核放单为 {plain(one.gate)}。", (uri,),
                )
            )  # fmt: skip
    waiting = [one for one in papers.exits.values() if not one.passed]
    if waiting:
        total = sum((one.quantity for one in waiting), ZERO)
        found.append(
            _said(
                "gate", "stock.gate.waiting", total,
                f"{plain(total)} pieces on {len(waiting)} exit lists wait for their gate pass.",
                f"{len(waiting)} 份出区清单共 {plain(total)} 件尚无核放单过卡记录。",
                (one.uri for one in waiting), explained=True,
            )
        )  # fmt: skip
    return found
