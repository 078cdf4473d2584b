"""A code whose life has ended must not come back: returned, destroyed or voided goods are never sold under it again.

Pure, over a trace. Nothing is refused: whoever reports the goods on the move again is taken at its word, and the
use of the ended code is a finding.
"""

from __future__ import annotations

from suyuan.compliance.model import Finding
from suyuan.trace.model import Trace
from suyuan.trace.state import short_name

_ENDS = {
    "returned": ("returned", "退货"),
    "destroyed": ("destroyed", "销毁"),
    "disposed": ("destroyed", "销毁"),
}
_ENDING_STEPS = {"destroying": ("destroyed", "销毁"), "decommissioning": ("voided", "作废")}
# Steps that only put goods on the market; moving returned goods to where they are destroyed is no sale.
_SALES = frozenset({"activating", "commissioning", "packing", "picking", "retail_selling", "dispensing"})
_SOLD = frozenset(
    {"active", "sellable_accessible", "sellable_not_accessible", "retail_sold", "dispensed", "signed"}
)


def reuse_of(trace: Trace) -> tuple[Finding, ...]:
    """The finding ``code.reused`` if the code was used for a sale after its life had ended, else nothing."""
    ended: tuple[str, str] | None = None
    for fact in trace.facts:
        if fact.withdrawn or fact.tie.kind in ("lot", "document"):
            continue
        step, disposition = short_name(fact.biz_step), short_name(fact.disposition)
        own = fact.tie.kind in ("direct", "alias")
        if ended is None:
            ended = (_ENDS.get(disposition) or _ENDING_STEPS.get(step)) if own else None
        elif own and fact.action != "DELETE" and (step in _SALES or disposition in _SOLD):
            day = fact.event_time.date().isoformat()
            return (
                Finding(
                    code="code.reused",
                    reason_en=f"The goods were {ended[0]}; on {day} their code was used again.",
                    reason_zh=f"该商品已{ended[1]}，其追溯码于 {day} 再次使用。",
                    references=(trace.thing,),
                ),
            )
    return ()
