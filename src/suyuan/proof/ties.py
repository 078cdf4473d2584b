"""How a fact is tied to the item, and how a verifier sees that it is.

A fact is about the item where a claim that it discloses names the item. Otherwise it names something that
the item was tied to: a *tie* is one step of that way, from a thing to another, and another fact of the bundle
discloses both ends of it:

- ``containment``: ``from`` is among the children of an aggregation or association whose parent is ``to``;
- ``lot``: ``from`` is a serial, the fact discloses the lot of its ilmd, ``to`` is the class of that lot;
- ``document``: the fact names ``from`` and the document ``to`` together;
- ``transformation``: ``from`` is an output and ``to`` an input;
- ``alias``: the fact says of two things, ``from`` and ``to``, that they are one. Whether its party may say so is
  decided by the trace;
- ``product``: ``from`` is the item or lot itself, ``to`` the GTIN in its own URI; the fact, the one that is tied, is a
  word of a recall that names this GTIN. It ends a way and ties no other fact: everybody's goods have that GTIN.

What was taken back shows no tie: neither the fact that an error declaration withdraws nor the declaration itself.
No tie leads down: ``to`` is a container, a lot, a document or an input. Which of several documents belongs to
the item, and when it lay in which container, is what the trace decides; the times of ties are compared in
``late_ties`` so that a reader of the report sees what does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from suyuan.canon import JSON
from suyuan.disclosure.commitment import DisclosedEvent
from suyuan.errors import VerificationError
from suyuan.gs1.percent import encode_value

MAX_TIES = 32
LOT_PATH = "ilmd/{urn:epcglobal:cbv:mda}lotNumber"
STEP_PATH = "bizStep"
DISPOSITION_PATH = "disposition"
ALIASING = "urn:suyuan:bizstep:aliasing"
DECLARED_PATH = "errorDeclaration/declarationTime"
RECALLING = "urn:suyuan:bizstep:recalling"
_RECALLS = ("https://ref.gs1.org/cbv/Disp-recalled", "urn:suyuan:disp:recall_lifted")
PRODUCT = "product"
# What qualifies a fact and names no thing.
_QUALIFIERS = (LOT_PATH, STEP_PATH, DISPOSITION_PATH, DECLARED_PATH)

_CHILDREN = ("childEPCs", "childQuantityList/epcClass")
_OUTPUTS = ("outputEPCList", "outputQuantityList/epcClass")
_INPUTS = ("inputEPCList", "inputQuantityList/epcClass")
_SUBJECTS = ("epcList", "outputEPCList")
_THINGS = ("epcList", "quantityList/epcClass", "parentID", *_CHILDREN, *_OUTPUTS, *_INPUTS)
_WHOLE_QUANTITIES = {
    "quantityList": "quantityList/epcClass",
    "childQuantityList": "childQuantityList/epcClass",
    "inputQuantityList": "inputQuantityList/epcClass",
    "outputQuantityList": "outputQuantityList/epcClass",
}
_OF_PRODUCT = re.compile(r"(https?://[^?#]*?/01/\d{14})(?:/22/[^/?#]+)?(?:/10/[^/?#]+)?(?:/21/[^/?#]+)?")
_SERIAL = re.compile(r"(https?://[^?#]*?/01/\d{14})(?:/22/[^/?#]+)?(?:/10/([^/?#]+))?/21/[^/?#]+")


class Tie(NamedTuple):
    """One step of the way from the item: ``fact`` is the position in the bundle of the fact that shows it."""

    kind: str
    fact: int
    from_uri: str
    to_uri: str


Names: TypeAlias = Mapping[str, Mapping[str, None]]
"""What a fact names, by claim path."""


def names_of(event: DisclosedEvent) -> dict[str, dict[str, None]]:
    """The things, classes, documents, lot and step that the disclosed claims name, by path, in their order."""
    names: dict[str, dict[str, None]] = {}
    for claim in event.claims:
        path, value = claim.path, claim.value
        if path == "bizTransactionList":
            value = _member(value, "bizTransaction")
        elif path in _WHOLE_QUANTITIES:
            path, value = _WHOLE_QUANTITIES[path], _member(value, "epcClass")
        elif path not in _THINGS and path not in _QUALIFIERS:
            continue
        if isinstance(value, str):
            names.setdefault(path, {})[value] = None
    return names


def names_of_all(
    events: Sequence[DisclosedEvent], withdrawals: Sequence[Sequence[int]]
) -> list[dict[str, dict[str, None]]]:
    """The names of each fact, those that a declaration among them withdraws marked: they show no tie.

    ``withdrawals`` are, for each fact, the positions of the facts that it takes back.
    """
    names = [names_of(event) for event in events]
    for position, withdrawn in enumerate(withdrawals):
        for earlier in withdrawn:
            names[earlier].setdefault(DECLARED_PATH, {}).update(names[position].get(DECLARED_PATH, {}))
    return names


def is_about(names: Names, uri: str) -> bool:
    """Whether a fact names this thing, class or document."""
    return any(uri in uris for path, uris in names.items() if path not in _QUALIFIERS)


def steps_from(names: Names, uri: str) -> Iterator[tuple[str, str]]:
    """The ties (kind, to) that one fact shows from a thing; none where it was taken back or takes back."""
    if names.get(DECLARED_PATH):
        return
    if any(uri in names.get(path, ()) for path in _CHILDREN):
        yield from (("containment", to_uri) for to_uri in names.get("parentID", ()) if to_uri != uri)
    if any(uri in names.get(path, ()) for path in _SUBJECTS):
        yield from (("lot", to_uri) for to_uri in _lots(names, uri))
    if any(uri in names.get(path, ()) for path in _OUTPUTS):
        inputs = (to_uri for path in _INPUTS for to_uri in names.get(path, ()))
        yield from (("transformation", to_uri) for to_uri in inputs if to_uri != uri)
    same = names.get("epcList", {})
    if ALIASING in names.get(STEP_PATH, ()) and uri in same and len(same) == 2:
        yield from (("alias", to_uri) for to_uri in same if to_uri != uri)
    if is_about(names, uri):
        yield from (("document", to_uri) for to_uri in names.get("bizTransactionList", ()) if to_uri != uri)


def product_of(uri: str) -> str:
    """The GTIN that an item's or lot's own URI is of, as a URI; empty for a GTIN itself and any other thing."""
    match = _OF_PRODUCT.fullmatch(uri)
    return match[1] if match is not None and match[1] != uri else ""


def is_recall(names: Names) -> bool:
    """Whether a fact is a word of a recall: it is raised, or lifted."""
    said = names.get(DISPOSITION_PATH, {})
    return RECALLING in names.get(STEP_PATH, ()) or any(word in said for word in _RECALLS)


def find_ties(facts: Sequence[Names], thing: str) -> dict[int, tuple[Tie, ...]]:
    """The shortest way from the item to each fact that can be tied to it, by the fact's position.

    A fact that names the item has an empty way; of ways of one length the one through earlier facts counts.
    """
    naming: dict[str, list[int]] = {}
    for position, names in enumerate(facts):
        for path, uris in names.items():
            for uri in uris if path not in _QUALIFIERS else ():
                if position not in naming.setdefault(uri, [])[-1:]:
                    naming[uri].append(position)
    ways: dict[str, tuple[Tie, ...]] = {thing: ()}
    tied: dict[int, tuple[Tie, ...]] = {}
    frontier = [thing]
    for _ in range(MAX_TIES + 1):
        reached: list[str] = []
        for from_uri in frontier:
            for position in naming.get(from_uri, ()):
                tied.setdefault(position, ways[from_uri])
                for kind, to_uri in steps_from(facts[position], from_uri):
                    if to_uri not in ways:
                        ways[to_uri] = (*ways[from_uri], Tie(kind, position, from_uri, to_uri))
                        reached.append(to_uri)
        frontier = reached
    for from_uri, way in ways.items():
        if _only_names(way) and (product := product_of(from_uri)):
            for position in naming.get(product, ()):
                if position not in tied and is_recall(facts[position]):
                    tied[position] = (*way, Tie(PRODUCT, position, from_uri, product))
    return {position: ties for position, ties in tied.items() if len(ties) <= MAX_TIES}


def verify_ties(facts: Sequence[Names], thing: str, position: int, ties: Sequence[Tie]) -> None:
    """Check that the ties lead from the item to something that the fact names.

    Raises ``VerificationError`` (``bundle.tie.*``, ``bundle.fact.untied``).
    """
    path = f"facts[{position}].ties"
    if len(ties) > MAX_TIES:
        raise VerificationError("bundle.tie.too_long", f"A way has at most {MAX_TIES} ties.", path=path)
    at = thing
    for number, tie in enumerate(ties):
        here = f"{path}[{number}]"
        if tie.from_uri != at:
            raise VerificationError(
                "bundle.tie.gap", "The tie does not start where the last ended.", path=here
            )
        if not 0 <= tie.fact < len(facts):
            raise VerificationError(
                "bundle.tie.fact", "The tie refers to a fact that is not there.", path=here
            )
        own = number == len(ties) - 1 and tie.fact == position and _only_names(ties[:-1])
        if not _shows(facts, tie, at, own=own):
            raise VerificationError("bundle.tie.not_shown", "The fact does not show this tie.", path=here)
        at = tie.to_uri
    if not is_about(facts[position], at):
        raise VerificationError("bundle.fact.untied", "The fact is not tied to the item.", path=path)


def _only_names(ties: Sequence[Tie]) -> bool:
    """Whether a way leads through other names of the item and nothing else."""
    return all(tie.kind == "alias" for tie in ties)


def _shows(facts: Sequence[Names], tie: Tie, at: str, *, own: bool) -> bool:
    if tie.kind == PRODUCT:
        return own and tie.to_uri == product_of(at) and is_recall(facts[tie.fact])
    return (tie.kind, tie.to_uri) in steps_from(facts[tie.fact], at)


def late_ties(events: Sequence[DisclosedEvent], position: int, ties: Sequence[Tie]) -> list[int]:
    """Facts that show a containment which does not cover the day of the fact at ``position``.

    Event times are UTC text of one form, so they compare as text. A removal shows the containment before it.
    A way that leaves containment has no such order: a declaration is older than the parcel that leads to it.
    """
    time = first_text(events[position], "eventTime")
    late: list[int] = []
    if any(tie.kind != "containment" for tie in ties):
        return late
    for tie in ties:
        tie_time = first_text(events[tie.fact], "eventTime")
        if not time or not tie_time or tie.fact == position:
            continue
        removal = first_text(events[tie.fact], "action") == "DELETE"
        # Days, because a fact of which only the date is known stands at an arbitrary time of it.
        if (time[:10] > tie_time[:10]) if removal else (time[:10] < tie_time[:10]):
            late.append(tie.fact)
    return late


def _lots(names: Names, item: str) -> Iterator[str]:
    """Classes of the lots that a fact binds a serial to: by its ilmd, or in the serial's own Digital Link."""
    match = _SERIAL.fullmatch(item)
    if match is None:
        return
    class_uri, lot = match.groups()
    if lot is not None:
        yield f"{class_uri}/10/{lot}"
    for stated in names.get(LOT_PATH, ()):
        yield f"{class_uri}/10/{encode_value(stated)}"


def _member(value: JSON, name: str) -> JSON:
    return value.get(name) if isinstance(value, dict) else None


def first_text(event: DisclosedEvent, path: str) -> str:
    """The text that a fact discloses under a path, or nothing."""
    return next((value for value in event.values(path) if isinstance(value, str)), "")
