"""What happened, in one short line: of a single fact, of one step within a group, and of a whole group."""

from __future__ import annotations

from collections.abc import Sequence

from suyuan.trace.model import Fact
from suyuan.web.classify import (
    disposition_name,
    in_china,
    is_delivery,
    is_exit,
    is_independent,
    kinds,
    paper_of,
    role_of,
    step_name,
)
from suyuan.web.grouping import family_of
from suyuan.web.language import N_, Language
from suyuan.web.wording import CUSTOMS_STATES, REQUESTS, STEPS, plain

# Papers that a packing names where it packs one buyer's parcel, or parcels for a flight.
_OF_A_BUYER = frozenset({"waybill", "order", "parcel-list"})
_OF_A_CARRIAGE = frozenset({"awb", "flight"})
_SELLING = frozenset({"seller", "platform", "courier"})
_GROUPS: dict[str, str] = {
    "courier": N_("On the way with the courier"),
    "intake": N_("Taken into the warehouse"),
    "dispatch": N_("Picked and packed for the buyer"),
}


def headline(fact: Fact, language: Language) -> str:
    """What happened, in one short line."""
    paper = paper_of(fact)
    if paper == "gate-pass" and _passed(fact):
        return _passage(fact, language)
    if paper:
        return _with_state(fact, language)
    step = step_name(fact)
    exact = _exact_headline(fact, step)
    if exact or step in STEPS:
        return language.t(exact or STEPS[step])
    return plain(step or fact.event_type)


def step_headline(fact: Fact, language: Language) -> str:
    """What one fact adds to its group: the state of the paper, or the step itself."""
    if paper_of(fact):
        return _state(fact, language)
    step = step_name(fact)
    if family_of(fact) == "courier" and step in ("accepting", "collecting"):
        return language.t(N_("Collected by the courier"))
    if step == "packing":
        return language.t(STEPS["packing"])
    return headline(fact, language)


def group_headline(facts: Sequence[Fact], language: Language) -> str:
    """A group in one line: what it is about and where it ended. Withdrawn facts do not speak for it."""
    if len(facts) == 1:
        return headline(facts[0], language)
    standing = [fact for fact in facts if not fact.withdrawn] or list(facts)
    paper = paper_of(standing[-1])
    if not paper:
        return language.t(_GROUPS[family_of(standing[-1])])
    if paper == "gate-pass" and (passed := [fact for fact in standing if _passed(fact)]):
        return _passage(passed[-1], language)
    return _with_state(standing[-1], language)


def _passed(fact: Fact) -> bool:
    return disposition_name(fact) == "passed_gate" or step_name(fact) in ("arriving", "departing")


def _passage(fact: Fact, language: Language) -> str:
    leaving = step_name(fact) == "departing" or is_exit(fact)
    return language.t(N_("Left the bonded zone") if leaving else N_("Entered the bonded zone"))


def _with_state(fact: Fact, language: Language) -> str:
    return language.say(
        N_("%(paper)s: %(state)s"), paper=paper_title(fact, language), state=_state(fact, language)
    )


def paper_title(fact: Fact, language: Language) -> str:
    """The name of the customs paper that a fact is a step of."""
    leaving = is_exit(fact)
    titles = {
        "gate-pass": N_("Gate pass, exit") if leaving else N_("Gate pass, entry"),
        "parcel-list": N_("Parcel declaration"),
        "bonded-list": N_("Bonded list, exit") if leaving else N_("Bonded list, entry"),
        "declaration": N_("Import declaration"),
    }
    return language.t(titles[paper_of(fact)])


def _state(fact: Fact, language: Language) -> str:
    word = disposition_name(fact)
    if paper_of(fact) == "gate-pass" and _passed(fact):
        word = "passed_gate"
    if not word:
        word = "released" if step_name(fact) == "releasing" else "declared"
    request, _, rest = word.partition("_")
    if request in REQUESTS and rest in CUSTOMS_STATES:
        return f"{language.t(REQUESTS[request])} · {language.t(CUSTOMS_STATES[rest])}"
    return language.t(CUSTOMS_STATES[word]) if word in CUSTOMS_STATES else plain(word)


def _exact_headline(fact: Fact, step: str) -> str:
    if step == "inspecting":
        return _inspection_headline(fact)
    if step in ("departing", "arriving"):
        return _movement_headline(fact, step)
    if step == "commissioning":
        of_lot = fact.tie.kind == "lot" or (fact.quantities and not fact.things)
        return N_("Lot produced") if of_lot else N_("Code applied to the item")
    if step == "packing":
        return _packing_headline(fact)
    if step == "loading":
        sealed = "seal" in kinds(fact) or "sealNo" in fact.attributes
        return N_("Loaded and sealed") if sealed else N_("Loaded")
    return N_("Unpacked and counted") if step == "unpacking" else ""


def _packing_headline(fact: Fact) -> str:
    if not kinds(fact).isdisjoint(_OF_A_BUYER) or in_china(fact):
        return N_("Packed for the buyer")
    if not kinds(fact).isdisjoint(_OF_A_CARRIAGE):
        return N_("Packed for transport")
    if fact.tie.kind == "direct":
        # What it went into is hidden here. Who sells packs parcels as well as cases.
        return STEPS["packing"] if role_of(fact) in _SELLING else N_("Packed into a case")
    if fact.tie.links and fact.tie.links[-1].kind in ("package", "case"):
        return N_("Case put on a pallet")
    return N_("Packed for transport")


def _inspection_headline(fact: Fact) -> str:
    if "quarantine" in kinds(fact):
        return N_("Quarantine inspection on entry")
    if is_independent(fact):
        return N_("Checked on arrival") if in_china(fact) else N_("Audited at origin, samples taken")
    if role_of(fact) in ("manufacturer", "laboratory", "brand-owner"):
        return N_("Release test of the lot")
    return ""


def _movement_headline(fact: Fact, step: str) -> str:
    if is_delivery(fact):
        return N_("Delivered and signed for")
    leaving, papers = step == "departing", kinds(fact)
    mode = fact.attributes.get("transportMode", "")
    if "vessel-voyage" in papers or "vessel" in fact.attributes or mode == "2":
        return N_("Ship departed") if leaving else N_("Ship arrived, goods discharged")
    if "flight" in papers or "flightNo" in fact.attributes or mode == "5":
        return N_("Flight departed") if leaving else N_("Flight arrived")
    if "mrn" in papers or (leaving and not in_china(fact) and "authority:customs" in fact.stated_by):
        return N_("Cleared for export")
    if "bol" in papers and not leaving and in_china(fact):
        return N_("Ship arrived, goods discharged")
    if role_of(fact) == "courier":
        return N_("Parcel left the courier's station") if leaving else N_("Parcel at the courier's station")
    if role_of(fact) in ("bonded-warehouse", "warehouse"):
        return N_("Sent out by the warehouse") if leaving else N_("Arrived at the warehouse")
    return ""
