"""An event as claims: the smallest parts of it that can be shown or withheld on their own.

The claims of an event are those of its *statement* (who says it: ``statement/<key>``) and of its canonical
body. A top-level field is a claim, with these exceptions:

- each element of a list in ``LIST_FIELDS`` is a claim, all under the field's name; an element of a quantity
  list gives two, ``<field>/epcClass`` and the whole element, so that a lot can be named without its quantity;
- each member of an object in ``STRUCT_FIELDS`` is a claim: ``ilmd/{urn:epcglobal:cbv:mda}lotNumber``.

An empty list or object is one claim of its own, so the claims determine body and statement and the reverse.

Positions count from 0: statement, then fields, both sorted by name, then the lists in the order of
``LIST_FIELDS``. Lists stand last so that the position of every other claim is known without reading them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import NamedTuple, cast

from suyuan.canon import JSON, canonical_bytes, canonical_json, canonical_text
from suyuan.errors import InputError

QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
LIST_FIELDS = (
    "sourceList",
    "destinationList",
    "sensorElementList",
    *QUANTITY_LISTS,
    "bizTransactionList",
    *EPC_LISTS,
)
STRUCT_FIELDS = ("ilmd", "readPoint", "bizLocation", "errorDeclaration")
STATEMENT = "statement/"
_EPC_CLASS = "epcClass"
_LISTS = frozenset(LIST_FIELDS)


class Claim(NamedTuple):
    """One claim: its path, its position among all claims of the event, its value."""

    path: str
    position: int
    value: JSON


def claim_bytes(path: str, value: JSON) -> bytes:
    """Canonical bytes of ``[path, value]``. Raises ``InputError`` (``canon.*``)."""
    return canonical_bytes(f"[{encode_basestring(path)},{canonical_text(value)}]")


def head_claims(body: Mapping[str, JSON], statement: Mapping[str, JSON]) -> list[Claim]:
    """The claims of all but the lists, in order. ``body`` may lack its lists."""
    return [Claim(path, position, value) for position, (path, value) in enumerate(_head(body, statement))]


def claims_of(body: Mapping[str, JSON], statement: Mapping[str, JSON]) -> list[Claim]:
    """All claims of an event, in order. Raises ``InputError`` (``disclosure.body.malformed``)."""
    return claims_apart(body, statement, {})[0]


def element_claims(field: str, position: int, element: JSON) -> list[Claim]:
    """The claims of one element of a list, the first of them at ``position``."""
    if field not in QUANTITY_LISTS:
        return [Claim(field, position, element)]
    return [
        Claim(f"{field}/{_EPC_CLASS}", position, _epc_class(field, element)),
        Claim(field, position + 1, element),
    ]


def claims_apart(
    body: Mapping[str, JSON], statement: Mapping[str, JSON], apart: Mapping[str, int]
) -> tuple[list[Claim], dict[str, int]]:
    """The claims of an event whose long lists lie apart, and where the claims of those lists start.

    ``apart`` gives the length (over 0) of each list that ``body`` lacks. Element ``i`` of such a list has its
    claims at start + i, of a quantity list at start + 2 i (``element_claims``). Raises as ``claims_of``.
    """
    claims = head_claims(body, statement)
    starts: dict[str, int] = {}
    position = len(claims)
    for field in LIST_FIELDS:
        if field in apart:
            starts[field] = position
            position += apart[field] * (2 if field in QUANTITY_LISTS else 1)
            continue
        found = _list_claims(body, field, position)
        claims += found
        position += len(found)
    return claims, starts


def list_positions(head_count: int, lengths: Mapping[str, int]) -> dict[str, int]:
    """Where the claims of each list start, from the number of head claims and the lists' lengths.

    ``lengths`` names exactly the lists that the event has, empty ones too: an empty list is one claim.
    """
    starts: dict[str, int] = {}
    position = head_count
    for field in LIST_FIELDS:
        if field in lengths:
            starts[field] = position
            position += max(1, lengths[field] * (2 if field in QUANTITY_LISTS else 1))
    return starts


def _list_claims(body: Mapping[str, JSON], field: str, position: int) -> list[Claim]:
    elements = _elements(body, field)
    if elements is None:
        return []
    if not elements:
        return [Claim(field, position, [])]
    if field not in QUANTITY_LISTS:
        return [Claim(field, position + number, element) for number, element in enumerate(elements)]
    return [
        claim
        for number, element in enumerate(elements)
        for claim in element_claims(field, position + 2 * number, element)
    ]


def all_claim_bytes(body: Mapping[str, JSON], statement: Mapping[str, JSON]) -> list[bytes]:
    """``claim_bytes`` of all claims of an event, in order; quick for long lists.

    Raises ``InputError`` (``canon.*``, ``disclosure.body.malformed``).
    """
    result = [claim_bytes(path, value) for path, value in _head(body, statement)]
    for field in LIST_FIELDS:
        elements = _elements(body, field)
        if elements is None:
            continue
        if not elements:
            result.append(claim_bytes(field, []))
        elif field in QUANTITY_LISTS:
            for element in elements:
                result.append(claim_bytes(f"{field}/{_EPC_CLASS}", _epc_class(field, element)))
                result.append(claim_bytes(field, element))
        elif set(map(type, elements)) == {str}:
            result += _strings(field, cast("list[str]", elements))
        else:
            result += [claim_bytes(field, element) for element in elements]
    return result


def body_of(claims: Sequence[tuple[str, JSON]]) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """Body and statement from (path, value) of claims: the whole event from all, a masked one from some.

    Of an element of a quantity list whose whole is withheld only ``epcClass`` remains.
    """
    body: dict[str, JSON] = {}
    statement: dict[str, JSON] = {}
    shown_whole: dict[str, set[bytes]] = {
        field: {
            canonical_json(value.get(_EPC_CLASS))
            for path, value in claims
            if path == field and isinstance(value, dict)
        }
        for field in QUANTITY_LISTS
    }
    for path, value in claims:
        head, slash, member = path.partition("/")
        if path in _LISTS:
            items = cast("list[JSON]", body.setdefault(path, []))
            if value != []:
                items.append(value)
        elif not slash:
            body[path] = value
        elif head == "statement":
            statement[member] = value
        elif head in QUANTITY_LISTS:
            if canonical_json(value) not in shown_whole[head]:
                cast("list[JSON]", body.setdefault(head, [])).append({_EPC_CLASS: value})
        elif head in STRUCT_FIELDS:
            cast("dict[str, JSON]", body.setdefault(head, {}))[member] = value
        else:
            body[path] = value
    return body, statement


def _head(body: Mapping[str, JSON], statement: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    for key in sorted(statement):
        yield STATEMENT + key, statement[key]
    for field in sorted(body):
        value = body[field]
        if field in _LISTS:
            continue
        if "/" in field and not field.startswith("{"):
            # Else a field could pass for a part of the statement or of another field.
            raise InputError("disclosure.body.malformed", "A field's name has no slash.", path=field)
        if field in STRUCT_FIELDS and isinstance(value, dict) and value:
            for member in sorted(value):
                yield f"{field}/{member}", value[member]
        else:
            yield field, value


def _elements(body: Mapping[str, JSON], field: str) -> list[JSON] | None:
    elements = body.get(field)
    # A list as element would be one claim with an empty list.
    if elements is not None and (not isinstance(elements, list) or list in set(map(type, elements))):
        raise InputError(
            "disclosure.body.malformed",
            "A canonical body has a list here, and not of lists.",
            path=field,
        )
    return elements


def _epc_class(field: str, element: JSON) -> JSON:
    if not isinstance(element, dict) or _EPC_CLASS not in element:
        raise InputError("disclosure.body.malformed", "A quantity names its class.", path=field)
    return element[_EPC_CLASS]


def _strings(field: str, elements: list[str]) -> list[bytes]:
    prefix = f"[{encode_basestring(field)},"
    try:
        return [f"{prefix}{element}]".encode() for element in map(encode_basestring, elements)]
    except UnicodeEncodeError:
        return [claim_bytes(field, element) for element in elements]
