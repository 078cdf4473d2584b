"""What a fact is, read off its vocabulary: its step, its block of the page, its segment of the way.

Five blocks (production, transport, clearance, declared inspection, third-party inspection) and what lies
beside them (order, verification, recall); five segments of the way (factory, release, circulation, import
and export, consumption). A fact counts as third-party inspection by the assurance that it earned or by the
role that the operator granted, never by what its message claims.
"""

from __future__ import annotations

import re

from suyuan.trace.model import Fact
from suyuan.trace.state import short_name
from suyuan.web.language import N_

BLOCKS: dict[str, tuple[str, str]] = {
    "production": ("factory", N_("Production")),
    "transport": ("truck", N_("Transport")),
    "clearance": ("stamp", N_("Customs clearance")),
    "declared-inspection": ("shield", N_("Declared inspection")),
    "third-party-inspection": ("eye", N_("Third-party inspection")),
    "other": ("note", N_("Other records")),
}
SEGMENTS: dict[str, str] = {
    "factory": N_("Factory"),
    "release": N_("Release"),
    "circulation": N_("Circulation"),
    "import-export": N_("Import and export"),
    "consumption": N_("Consumption"),
}
_CUSTOMS_PAPERS = frozenset(
    {"declaration", "declaration-unified", "bonded-list", "bonded-list-preentry", "parcel-list", "tax-bill"}
)
_CLEARANCE_STEPS = frozenset({"declaring", "clearing", "taxing", "releasing"})
_PAPER_STEPS = _CLEARANCE_STEPS - {"taxing"} | {"arriving", "departing"}
_OTHER_STEPS = frozenset({"ordering", "paying", "verifying", "recalling"})
_PRODUCTION_STEPS = frozenset({"commissioning", "encoding", "enrolling", "transforming", "assembling"})
_DIRECTION = re.compile(r"\d([IE])\d")


def step_name(fact: Fact) -> str:
    """The short name of a business step: ``packing`` of the CBV URI, ``declaring`` of ours."""
    return short_name(fact.biz_step)


def disposition_name(fact: Fact) -> str:
    """The short name of a disposition: ``in_transit`` of the CBV URI, ``released`` of ours."""
    return short_name(fact.disposition)


def role_of(fact: Fact) -> str:
    """The role in which the party of a fact spoke, in the spelling of ``ROLES``."""
    return fact.party.role.replace("_", "-")


def kinds(fact: Fact) -> frozenset[str]:
    """The kinds of the documents that a fact names."""
    return frozenset(document.kind for document in fact.documents)


def in_china(fact: Fact) -> bool:
    """Whether a fact happened in China, by its place."""
    place = fact.place
    return place is not None and (place.country == "CN" or place.unlocode.startswith("CN"))


def is_delivery(fact: Fact) -> bool:
    """The hand-over to the buyer: the courier says that the parcel was signed for."""
    return disposition_name(fact) == "signed"


def paper_of(fact: Fact) -> str:
    """The customs paper that a fact is a step of: gate-pass, parcel-list, bonded-list, declaration or none.

    A number that the public may not see leaves its marks: a gate pass has a direction and neither a mode of
    supervision nor of transport, a bonded list has them, a parcel's list its last four digits.
    """
    if step_name(fact) not in _PAPER_STEPS or is_delivery(fact):
        return ""
    papers, marks = kinds(fact), fact.attributes
    link = fact.tie.links[-1].kind if fact.tie.links else ""
    if "gate-pass" in papers or link == "gate-pass" or disposition_name(fact) == "passed_gate":
        return "gate-pass"
    if ("parcel-list" in papers and "supervisionMode" not in marks) or "listLastFour" in marks:
        return "parcel-list"
    if marks.get("direction"):
        return "bonded-list" if marks.keys() & {"supervisionMode", "transportMode"} else "gate-pass"
    if step_name(fact) in ("arriving", "departing"):
        return ""
    if papers & {"declaration", "declaration-unified"}:
        return "declaration"
    return "bonded-list" if papers & {"bonded-list", "bonded-list-preentry"} or link == "bonded-list" else ""


def is_exit(fact: Fact) -> bool:
    """Whether a bonded list or gate pass takes goods out of the zone, by the letter in its number."""
    if fact.attributes.get("direction") in ("I", "E"):
        return fact.attributes["direction"] == "E"
    return any(
        match[1] == "E"
        for document in fact.documents
        if document.kind in ("bonded-list", "gate-pass") and (match := _DIRECTION.search(document.number))
    )


def is_independent(fact: Fact) -> bool:
    """Whether an inspector whom the operator granted that role speaks here."""
    return fact.assurance == "inspected" or role_of(fact) == "inspector"


def block_of(fact: Fact) -> str:
    """The block in which a fact is shown; a key of ``BLOCKS``."""
    step, papers = step_name(fact), kinds(fact)
    if step in _OTHER_STEPS:
        return "other"
    if step in ("inspecting", "sampling"):
        if "quarantine" in papers or "authority:customs" in fact.stated_by:
            return "declared-inspection"
        return "third-party-inspection" if is_independent(fact) or in_china(fact) else "production"
    if "quarantine" in papers:
        return "declared-inspection"
    if paper_of(fact):
        return "clearance"
    if step == "activating":
        return "third-party-inspection" if is_independent(fact) else "clearance"
    if step in _CLEARANCE_STEPS:
        return "clearance"
    # Another code of the item itself belongs to its labels, another number of its parcel to the way of that.
    if step == "aliasing" and fact.tie.kind in ("direct", "alias"):
        return "production"
    if step in _PRODUCTION_STEPS or (step in ("packing", "storing") and not in_china(fact)):
        return "production"
    return "transport"


def segment_of(fact: Fact) -> str:
    """The segment of the way to which a fact belongs; a key of ``SEGMENTS``."""
    step, papers = step_name(fact), kinds(fact)
    if step in ("verifying", "recalling", "retail_selling") or is_delivery(fact):
        return "consumption"
    if not in_china(fact) and fact.place is not None:
        if step in ("inspecting", "sampling", "loading", "releasing"):
            return "release"
        if step in _PRODUCTION_STEPS or step in ("packing", "storing"):
            return "factory"
        return "import-export"
    if step in _CLEARANCE_STEPS or papers & _CUSTOMS_PAPERS or "quarantine" in papers:
        return "import-export"
    if step in ("arriving", "departing", "activating") and role_of(fact) in (
        "carrier",
        "bonded-warehouse",
        "warehouse",
    ):
        return "import-export"
    if step == "enrolling":
        return "factory"
    return "import-export" if step in ("inspecting", "sampling") else "circulation"
