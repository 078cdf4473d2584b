"""Findings on quantities: where the balance of a lot under a ledger item does not add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import asyncpg

from suyuan.compliance.balance import Subject, balance_of, find_ledger_items
from suyuan.compliance.findings_model import (
    Evidence,
    Judged,
    ListedFinding,
    finding_id_of,
    last_moment,
    speakers,
)
from suyuan.compliance.model import Balance, Finding
from suyuan.db.pool import Pool
from suyuan.gs1.percent import encode_value
from suyuan.trace.model import Trace

_MAX_LEDGER_ITEMS = 4


async def quantity_findings(
    pool: Pool,
    may_balance: Callable[[str], bool],
    lots: Iterable[asyncpg.Record],
    judged: Mapping[str, Judged],
) -> list[ListedFinding]:
    """What does not add up in these lots, of the GTINs whose quantities the viewer may see."""
    found = []
    seen = {(one.trace.gtin, one.trace.lot): one.trace for one in judged.values()}
    known = dict.fromkeys([*((row["gtin"], row["lot"]) for row in lots), *(key for key in seen if key[1])])
    for gtin, lot in known:
        if not may_balance(gtin):
            continue
        subjects = (await find_ledger_items(pool, gtin, lot))[:_MAX_LEDGER_ITEMS] or [("", "")]
        trace = seen.get((gtin, lot))
        for ledger_item, facility in subjects:
            balance = await balance_of(
                pool, Subject(gtin=gtin, lot=lot, ledger_item=ledger_item, facility=facility)
            )
            found += [_quantity(finding, balance, gtin, facility, trace) for finding in balance.findings]
    return found


def _quantity(
    finding: Finding, balance: Balance, gtin: str, facility: str, trace: Trace | None
) -> ListedFinding:
    at_hand = balance.received or balance.entered or "?"
    entered = [(f"{balance.entered or '?'} entered under the ledger", f"申报入账 {balance.entered or '?'}")]
    at_hand = balance.received or balance.entered or "?"
    sides = {
        "balance.entry.difference": (
            entered,
            [
                (f"{balance.received or '?'} received", f"实收 {balance.received or '?'}"),
                (f"{balance.damaged} damaged", f"残损 {balance.damaged}"),
            ],
        ),
        "balance.active.excess": (
            [(f"{balance.activated} codes activated", f"激活 {balance.activated} 个码")],
            [(f"{at_hand} pieces at hand", f"在库 {at_hand} 件")],
        ),
        "balance.exit.excess": (
            [(f"{balance.exited} left", f"出区 {balance.exited}")],
            [(f"{balance.received or '?'} received, {balance.returned} returned",
              f"实收 {balance.received or '?'}，退回 {balance.returned}")],
        ),
        "balance.outflow.uncoded": (
            [(f"{balance.exited} left the ledger", f"账册核扣 {balance.exited}")],
            [(f"{finding.quantity} of them without a packed code", f"其中 {finding.quantity} 件没有追溯码装箱记录")],
        ),
    }  # fmt: skip
    one, other = sides.get(finding.code, (entered, [(finding.reason_en, finding.reason_zh)]))
    ledger = f"urn:suyuan:ledger-item:{balance.ledger_item}" if balance.ledger_item else ""
    evidence = [
        *(Evidence(side=0, en=en, zh=zh, reference=ledger) for en, zh in one),
        *(Evidence(side=0, en="", zh="", reference=uri) for uri in finding.references),
        *(Evidence(side=1, en=en, zh=zh, reference=_lot(gtin, balance.lot)) for en, zh in other),
    ]
    role = "bonded-warehouse"
    return ListedFinding(
        finding_id=finding_id_of("quantity", finding.code, gtin, balance.lot, balance.ledger_item, facility),
        kind="quantity",
        code=finding.code,
        reason_en=finding.reason_en,
        reason_zh=finding.reason_zh,
        gtin=gtin,
        lot=balance.lot,
        things=tuple(uri for uri in (_lot(gtin, balance.lot), ledger) if uri),
        owed_by=role,
        parties=speakers(trace.facts if trace is not None else (), role),
        since=last_moment(trace.facts, {"receiving", "storing", "unpacking"}) if trace is not None else None,
        evidence=tuple(evidence),
    )


def _lot(gtin: str, lot: str) -> str:
    return f"https://id.gs1.org/01/{gtin}/10/{encode_value(lot)}" if lot else ""
