"""Making one EPCIS event from one record: documents, extensions, times, and nothing personal.

Everything that a rule puts into an event goes through ``EventDraft``, which refuses to repeat a personal
value of the record outside a person document's raw URI. Extension fields are in ``urn:suyuan:ext``.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from suyuan.canon import normal_decimal
from suyuan.customs.message import Message, Record
from suyuan.customs.personal import telling_values
from suyuan.customs.values import OFFSET, Moment, read_time
from suyuan.epcis.model import (
    Action,
    BizTransaction,
    Event,
    Extension,
    Extensions,
    Number,
    Place,
    QuantityElement,
)
from suyuan.epcis.reading import Warning_
from suyuan.errors import InputError

EXTENSION_NAMESPACE = "urn:suyuan:ext"
CBV_STEP = "https://ref.gs1.org/cbv/BizStep-"
CBV_DISPOSITION = "https://ref.gs1.org/cbv/Disp-"
CBV_TRANSACTION = "https://ref.gs1.org/cbv/BTT-"
STEP = "urn:suyuan:bizstep:"
DISPOSITION = "urn:suyuan:disp:"


@cache
def _district_places() -> dict[str, str]:
    """Where customs districts lie, as UN/LOCODE (``data/district_places.csv``).

    Part of the rules, not a code list that an operator replaces: changing an entry changes events, and so is a new
    version of the rules that use it. A district that is not in it lies in China, and its code says which it is.
    """
    text = files("suyuan.customs").joinpath("data/district_places.csv").read_text("utf-8")
    return {row["code"]: row["unlocode"] for row in csv.DictReader(text.splitlines())}


def part_of_urn(text: str) -> str:
    """A number as one part of a ``urn:suyuan:`` URI, percent-encoded but for unreserved characters."""
    return quote(text, safe="")


def place_of_district(code: str) -> str:
    """The place URI of a customs district, ``urn:suyuan:place:CNNSA:5165``."""
    return f"urn:suyuan:place:{_district_places().get(code, 'CN')}:{part_of_urn(code)}"


def authority_of_district(code: str) -> str:
    """The URI of a customs district as the one who states something."""
    return f"urn:suyuan:authority:customs:{part_of_urn(code)}" if code else "urn:suyuan:authority:customs"


class EventDraft:
    """An event in the making, with the record that it comes from."""

    def __init__(self, message: Message, record: Record, rule: str) -> None:
        self.message = message
        self.record = record
        self.rule = rule
        self.warnings: list[Warning_] = []
        self._secrets = telling_values(message, record)
        self._transactions: dict[str, BizTransaction] = {}
        self._extensions: list[Extension] = []

    def value(self, *names: str) -> str:
        """The first of the head's fields that has a value."""
        return self.record.head.value(*names)

    def is_personal(self, value: str) -> bool:
        """Whether a value repeats a personal value of the record."""
        return self._secrets.found_in(value) is not None

    def plain(self, value: str, name: str) -> str:
        """The value, or an empty text and a warning if it repeats a personal value."""
        if value and self.is_personal(value):
            self.warnings.append(
                Warning_(
                    "customs.personal.repeated",
                    f"{self.record.path}//{name}",
                    f"{name} repeats a personal value of the record; only the evidence keeps it.",
                )
            )
            return ""
        return value

    def document(self, kind: str, *parts: str, cbv: str = "") -> str:
        """Add a goods document; returns its URI, or an empty text if a part is empty or personal."""
        if not all(parts) or not all(self.plain(part, kind) for part in parts):
            return ""
        uri = f"urn:suyuan:{kind}:" + ":".join(part_of_urn(part) for part in parts)
        type_ = CBV_TRANSACTION + cbv if cbv else f"urn:suyuan:btt:{kind}"
        self._transactions.setdefault(uri, BizTransaction(biz_transaction=uri, type=type_))
        return uri

    def person_document(self, kind: str, issuer: str, number: str) -> None:
        """Add a person document in its raw form, which capture replaces by a pseudonym."""
        if number:
            uri = raw_uri(kind, issuer, number)
            self._transactions.setdefault(
                uri, BizTransaction(biz_transaction=uri, type=f"urn:suyuan:btt:{kind}")
            )

    def text(self, name: str, value: str) -> None:
        """Add a text extension if there is a value."""
        value = self.plain(value, name)
        if value:
            self._extensions.append(text_extension(name, value))

    def number(self, name: str, value: str) -> None:
        """Add a number extension if there is a decimal."""
        found = number_extension(name, self.plain(value, name))
        if found is not None:
            self._extensions.append(found)

    def texts(self, *names: str) -> None:
        """Add head fields as text extensions under their own names."""
        for name in names:
            self.text(name, self.value(name))

    def numbers(self, *names: str) -> None:
        """Add head fields as number extensions under their own names."""
        for name in names:
            self.number(name, self.value(name))

    def line(self, texts: dict[str, str], numbers: dict[str, str]) -> None:
        """Add one ``line``: the texts and numbers of a line of goods, empty ones left out."""
        children = [
            text_extension(name, plain) for name, value in texts.items() if (plain := self.plain(value, name))
        ]
        children += [
            found
            for name, value in numbers.items()
            if (found := number_extension(name, self.plain(value, name))) is not None
        ]
        if children:
            self._extensions.append(Extension(f"{{{EXTENSION_NAMESPACE}}}line", tuple(children)))

    def stated_by_firm(self, code: str) -> None:
        """Name the firm that, after the message, makes the statement; who delivered it is another matter."""
        if self.plain(code, "statedBy"):
            self.text("statedBy", f"urn:suyuan:firm:{part_of_urn(code)}")

    def stated_by_customs(self, district: str) -> None:
        """Name the customs district that, after the message, makes the statement."""
        self.text("statedBy", authority_of_district(self.plain(district, "statedBy")))

    def moment(self, text: str, what: str) -> Moment:
        """The time in a field; ``InputError`` (``customs.field.time``) if the event has none."""
        moment = read_time(text)
        if moment is None:
            raise InputError(
                "customs.field.time",
                f"The record states no time of its event: {what} is empty.",
                path=f"{self.record.head.path}/{what}",
                remedy=f"Fill in {what}.",
            )
        return moment

    def event(
        self,
        moment: Moment,
        *,
        step: str,
        action: Action = "OBSERVE",
        disposition: str | None = None,
        district: str = "",
        epcs: tuple[str, ...] = (),
        quantities: tuple[QuantityElement, ...] = (),
        is_object: bool = False,
    ) -> Event:
        """The finished event: a TransactionEvent, or an ObjectEvent about ``epcs``."""
        extensions: Extensions = tuple(self._extensions)
        if moment.day_only:
            extensions = (*extensions, text_extension("precision", "day"))
        return Event(
            type="ObjectEvent" if is_object else "TransactionEvent",
            event_time=moment.time,
            event_time_zone_offset=OFFSET,
            action=action,
            epc_list=epcs,
            quantity_list=quantities,
            biz_step=step,
            disposition=disposition,
            read_point=Place(place_of_district(district)) if self.plain(district, "district") else None,
            biz_transaction_list=tuple(self._transactions.values()),
            extensions=extensions,
        )


def raw_uri(kind: str, issuer: str, number: str) -> str:
    """The raw URI of a person document, ``urn:suyuan:raw:<kind>:<issuer>:<number>``."""
    return f"urn:suyuan:raw:{kind}:{part_of_urn(issuer)}:{part_of_urn(number)}"


def text_extension(name: str, value: str) -> Extension:
    """A text field in Suyuan's namespace."""
    return Extension(f"{{{EXTENSION_NAMESPACE}}}{name}", value)


def number_extension(name: str, value: str) -> Extension | None:
    """A number field in Suyuan's namespace, or None if the value is no decimal."""
    try:
        return Extension(f"{{{EXTENSION_NAMESPACE}}}{name}", Number(normal_decimal(value))) if value else None
    except InputError:
        return None
