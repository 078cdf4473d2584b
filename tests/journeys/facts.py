"""Facts made by hand, for what is computed from facts alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from suyuan.trace.model import Fact, Party, Place, Tie, Trace

MOMENT = datetime(2025, 8, 1, 8, tzinfo=UTC)


def fact(step: str, disposition: str = "", *, key: int = 0, at: datetime = MOMENT, **fields: Any) -> Fact:
    """A fact of a bare step and disposition (URIs as they are)."""
    party = Party(party_id="p", name_en="P", name_zh="甲", role="member")
    given = {
        "place": None,
        "party": party,
        "stated_by": "",
        "assurance": "self-declared",
        "corroborations": 0,
        "conflicts": 0,
        "documents": (),
        "tie": Tie(kind="direct"),
        "corrections": (),
        "things": (),
        "quantities": (),
        "attributes": {},
        "day_precision": False,
        **fields,
    }
    return Fact(
        event_key=key,
        event_id=None,
        log_index=None,
        event_type="ObjectEvent",
        action="OBSERVE",
        biz_step=step if ":" in step else f"urn:suyuan:bizstep:{step}",
        disposition=disposition
        if ":" in disposition or not disposition
        else f"urn:suyuan:disp:{disposition}",
        event_time=at,
        zone_offset="+08:00",
        record_time=at,
        message="",
        rule="",
        capture_id="",
        **given,
    )


def place(country: str) -> Place:
    return Place(uri=f"urn:suyuan:place:{country}XXX", country=country)


def trace_of(*facts: Fact) -> Trace:
    return Trace(
        thing="https://id.gs1.org/01/08710000001236/21/A1",
        kind="item",
        gtin="08710000001236",
        serial="A1",
        lot="L1",
        state="unknown",
        audience="operator",
        product={},
        facts=tuple(facts),
        ambiguities=(),
        recall=None,
    )
