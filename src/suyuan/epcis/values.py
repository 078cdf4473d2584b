"""Single values as EPCIS means them, whatever syntax they came in, and the rules of each event type.

Every function raises ``InputError`` with the stable code, the place within the event, the reason and the
remedy; readers put the event's own place in front (``within``).

Source: EPCIS 2.0 sections 7.3 and 7.4, its JSON schema; dates as in XML Schema ``dateTimeStamp``.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import UTC, datetime
from functools import lru_cache

from suyuan.canon import normal_decimal
from suyuan.epcis import cbv, identifiers
from suyuan.epcis.model import ACTIONS, Event
from suyuan.errors import InputError, SuyuanError

MAX_EVENTS = 200_000
MAX_DEPTH = 32

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,20})?)?(?:Z|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f<>\"{}|\\^`]+")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_ACRONYMS = (("EPC", "Epc"), ("ID", "Id"))
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=512)
def snake(field: str) -> str:
    """``bizStep`` -> ``biz_step``, ``childEPCs`` -> ``child_epcs``: a field's name in codes and models."""
    for upper, title in _ACRONYMS:
        field = field.replace(upper, title)
    return _CAPITAL.sub("_", field).lower()


def missing(field: str, path: str = "") -> InputError:
    """The error for a mandatory field that is absent."""
    return InputError(
        f"epcis.{snake(field)}.missing",
        f"The mandatory field {field} is missing.",
        path=path or field,
        remedy=f"Add {field} to the event and send it again.",
    )


def wrong(field: str, path: str, reason: str, remedy: str = "") -> InputError:
    """The error for a field whose value is not what EPCIS allows."""
    return InputError(f"epcis.{snake(field)}.invalid", reason, path=path, remedy=remedy)


def within(error: SuyuanError, place: str, separator: str = ".") -> SuyuanError:
    """The same error with the place of the surrounding event put before its path."""
    error.path = f"{place}{separator}{error.path}" if error.path else place
    return error


@lru_cache(maxsize=4096)
def _time(text: str) -> datetime | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time(text: object, field: str, path: str) -> datetime:
    """A moment with its zone, as aware UTC; impossible dates (31 April) and zoneless times are refused."""
    moment = _time(text) if type(text) is str else None
    if moment is None:
        raise wrong(
            field,
            path,
            f"{str(text)[:60]!r} is not a date and time that exists, with its time zone.",
            "Write it as 2025-08-04T09:10:00.000+02:00 or with Z for UTC.",
        )
    return moment


def read_offset(text: object, path: str) -> str:
    """``+02:00``: the zone in which the event took place (-14:00 to +14:00)."""
    if type(text) is not str or not _OFFSET.fullmatch(text):
        raise wrong(
            "eventTimeZoneOffset",
            path,
            f"{str(text)[:60]!r} is not an offset from UTC.",
            "Write it as +02:00 or -05:30, from -14:00 to +14:00.",
        )
    return text


def read_action(text: object, path: str) -> str:
    """ADD, OBSERVE or DELETE."""
    if type(text) is not str or text not in ACTIONS:
        raise wrong("action", path, f"{str(text)[:60]!r} is not an action.", "Use ADD, OBSERVE or DELETE.")
    return text


def read_uri(text: object, field: str, path: str) -> str:
    """An absolute URI, of any scheme; a GS1 identifier in it must have a right check digit."""
    if type(text) is not str or not _URI.fullmatch(text):
        raise wrong(
            field,
            path,
            # The value is not repeated: where a URI belongs, a careless sender puts a person's number.
            f"{field} is not an absolute URI.",
            "Use an EPC URN, a GS1 Digital Link or a URI of your own such as urn:example:batch:17.",
        )
    try:
        identifiers.check_uri(text)
    except SuyuanError as error:
        error.path = path
        raise
    return text


def read_word(family: cbv.Family, text: object, field: str, path: str) -> str:
    """A vocabulary word of ``family`` as its URI."""
    uri = cbv.expand(family, text) if type(text) is str else None
    if uri is None:
        raise wrong(
            field,
            path,
            f"{str(text)[:60]!r} is neither a word of the CBV nor a URI.",
            "Use a word that CBV 2.0 lists or a full URI of your own vocabulary.",
        )
    return uri


@lru_cache(maxsize=4096)
def decimal_text(text: str) -> str:
    """``normal_decimal`` with a memory: quantities and readings repeat."""
    return normal_decimal(text)


def read_decimal(text: str, field: str, path: str) -> str:
    """A number as its normalised decimal text."""
    try:
        return decimal_text(text)
    except InputError as error:
        raise wrong(field, path, error.reason, "Send a plain number of at most 40 digits.") from None


def read_quantity(text: str, path: str) -> str:
    """How much there is: a normalised decimal, never less than nothing."""
    if text.startswith("-"):
        raise wrong("quantity", path, "A quantity is not negative.", "Send the amount that is there.")
    return text


def read_hex(text: str, field: str, path: str) -> str:
    """Bytes in hexadecimal, as sent."""
    if len(text) % 2 or not _HEX.fullmatch(text):
        raise wrong(field, path, f"{text[:60]!r} is not a sequence of hexadecimal bytes.")
    return text


def read_uom(text: object, path: str) -> str:
    """A unit of measure: two or three characters of UN/CEFACT Recommendation 20."""
    if type(text) is not str or not _UOM.fullmatch(text):
        raise wrong(
            "uom",
            path,
            f"{str(text)[:60]!r} is not a unit code.",
            "Use a UN/CEFACT Rec. 20 code such as KGM.",
        )
    return text


def check_identifiers(kind: str, action: object, present: Container[str], has_sensors: bool) -> None:
    """An ObjectEvent or TransactionEvent names what it is about, if only by an empty list.

    ``present`` are the names of the fields that were sent. Sensor readings may stand alone, and so may the
    end of a transaction.
    """
    if "epcList" in present or "quantityList" in present:
        return
    if has_sensors and kind == "ObjectEvent":
        return
    if kind == "TransactionEvent" and action == "DELETE":
        return
    raise missing("epcList")


_PARENTED = frozenset({"AggregationEvent", "AssociationEvent"})


def check_event(event: Event) -> Event:
    """Hold the rules that join several fields: what each event type must name.

    Raises ``InputError`` for a missing action, parent, child, document or identifier list.
    """
    kind = event.type
    if kind == "TransformationEvent":
        if event.transformation_id is None:
            if not (event.input_epc_list or event.input_quantity_list):
                raise missing("inputEPCList")
            if not (event.output_epc_list or event.output_quantity_list):
                raise missing("outputEPCList")
        elif not (
            event.input_epc_list
            or event.input_quantity_list
            or event.output_epc_list
            or event.output_quantity_list
        ):
            raise missing("inputEPCList")
        return event
    if event.action is None:
        raise missing("action")
    if kind in _PARENTED:
        if event.parent_id is None and (kind == "AssociationEvent" or event.action != "OBSERVE"):
            raise missing("parentID")
        if event.action != "DELETE" and not (event.child_epcs or event.child_quantity_list):
            raise missing("childEPCs")
    elif kind == "TransactionEvent" and not event.biz_transaction_list:
        raise missing("bizTransactionList")
    return event
