"""Findings of the quantity balance: each difference that no event explains, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from suyuan.canon import normal_decimal
from suyuan.compliance.model import Finding


def plain(value: Decimal | None) -> str:
    """A figure as it is shown: no exponent, no trailing zeros; empty where nothing is known."""
    return "" if value is None else normal_decimal(value)


def discrepancies(
    *,
    stock: Decimal | None,
    returned: Decimal,
    active: Decimal,
    coded: Decimal,
    exited: Decimal,
    packed: Decimal | None,
    unexplained: Decimal,
    lists: Mapping[str, Mapping[str, Decimal]],
) -> list[Finding]:
    """What does not add up.

    ``stock`` is what was received (what was entered where no tally is known), ``packed`` how many coded pieces
    the parcels of the exit lists hold; both None where nothing is known. ``lists`` are the bonded lists by
    direction.
    """
    found: list[Finding] = []

    def finding(code: str, quantity: Decimal, en: str, zh: str, references: Iterable[str] = ()) -> None:
        found.append(
            Finding(
                code=code,
                reason_en=en,
                reason_zh=zh,
                quantity=plain(quantity),
                references=tuple(sorted(references)),
            )
        )

    if unexplained:
        word_en = "fewer" if unexplained > 0 else "more"
        word_zh = "少" if unexplained > 0 else "多"
        finding(
            "balance.entry.difference",
            unexplained,
            f"{plain(abs(unexplained))} {word_en} pieces were received than the entry lists state.",
            f"实收比核注清单申报{word_zh} {plain(abs(unexplained))} 件，未作说明。",
            lists["in"],
        )
    if stock is not None and active > stock:
        finding(
            "balance.active.excess",
            active - stock,
            f"{plain(active - stock)} more codes are reported active than pieces were received.",
            f"激活的追溯码比实收多 {plain(active - stock)} 个。",
        )
    if stock is not None and exited > stock + returned:
        finding(
            "balance.exit.excess",
            exited - stock - returned,
            f"{plain(exited - stock - returned)} more pieces left than were received.",
            f"出区数量比实收多 {plain(exited - stock - returned)} 件。",
            lists["out"],
        )
    if packed is not None and coded and exited > packed:
        finding(
            "balance.outflow.uncoded",
            exited - packed,
            f"{plain(exited - packed)} pieces left the ledger and no code was packed for them.",
            f"有 {plain(exited - packed)} 件出区核扣而无追溯码装箱记录。",
            lists["out"],
        )
    return found
