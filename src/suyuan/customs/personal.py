"""Where a message names a person: byte ranges of personal data and of the numbers of person documents.

Which fields are personal is said by the tables (``personal=``). A field that no table knows is taken to be
personal. What identifies a person or a purchase is also looked for in the rest of the message (a number
repeated in a company's field, an attribute, a comment) and cut out there too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from suyuan.customs.message import Field, Message, Part, Record
from suyuan.epcis.reading import PersonalField
from suyuan.securexml import Element

# Free text and codes of a district say too little to be searched for elsewhere.
_SEARCHED = frozenset(
    {
        "name",
        "id_number",
        "phone",
        "address",
        "account",
        "order_no",
        "waybill_no",
        "parcel_list_no",
        "payment_no",
    }
)
_MIN_BYTES = 6
_MIN_DIGITS = 8
# Above this many values a plain search would be quadratic; whole words are looked up in a set instead.
_FEW = 64
_WORD_BYTES = re.compile(rb"[0-9A-Za-z_-]{6,}")
_WORD_TEXT = re.compile(r"[0-9A-Za-z_-]{6,}", re.ASCII)

Subject = tuple[str, ...]


def is_telling(value: str) -> bool:
    """Whether a value is long enough to identify someone wherever it stands."""
    if value.isascii() and value.isdigit():
        return len(value) >= _MIN_DIGITS
    return len(value.encode("utf-8")) >= _MIN_BYTES


def subject_of(message: Message, record: Record) -> Subject:
    """Whose data a record holds: its person, else the most personal document that it names."""
    head = record.head
    number = head.value("buyerIdNumber", "payerIdNumber")
    if number:
        return ("id_number", number.upper())
    if head.value("orderNo") and head.value("ebpCode"):
        return ("order", head.value("ebpCode"), head.value("orderNo"))
    if head.value("logisticsNo") and head.value("logisticsCode"):
        return ("waybill", head.value("logisticsCode"), head.value("logisticsNo"))
    if head.value("invtNo"):
        return ("parcel-list", head.value("invtNo")[:4], head.value("invtNo"))
    if "operatorCode" in head.rules:
        return ("document", message.table.kind, head.value("rkdNo", "copNo", "preNo", "guid"))
    if head.value("preNo") or head.value("copNo"):
        return ("parcel-list-draft", head.value("agentCode"), head.value("preNo", "copNo"))
    if head.value("payTransactionId"):
        return ("payment", head.value("payCode"), head.value("payTransactionId"))
    if head.value("orderNo"):
        return ("order", "", head.value("orderNo"))
    contact = head.value("dclErConc", "DclErConc")
    if contact:
        return ("contact", head.value("areainEtpsno", "AreainEtpsno"), contact)
    names = (
        "bondInvtNo",
        "BondInvtNo",
        "passportNo",
        "PassportNo",
        "SeqNo",
        "etpsInnerInvtNo",
        "EtpsInnerInvtNo",
    )
    return ("document", message.table.kind, head.value(*names, "EtpsPreentNo", "guid"))


def _part_subject(part: Part, record: Record, otherwise: Subject) -> Subject:
    """Lines that name parcels belong each to its own parcel, not to whoever comes first."""
    number = part.value("CbecBillNo")
    if number:
        return ("parcel-list", number[:4], number)
    waybill = part.value("logisticsNo")
    if waybill and part is not record.head:
        return ("waybill", record.head.value("logisticsCode"), waybill)
    return otherwise


def _personal_fields(message: Message, record: Record) -> Iterator[tuple[Field, str, Subject]]:
    subject = subject_of(message, record)
    for part in record.parts():
        own = _part_subject(part, record, subject)
        for field in part.all_fields():
            if field.rule is None:
                yield field, "free_text", own
            elif field.rule.personal:
                yield field, field.rule.personal, own
    for field in record.loose:
        # Scalars beside the head (OperCusRegCode, SysId) belong to the sender's account, not to a person.
        if message.table.family == "ceb" or field.element.children:
            yield field, "free_text", subject


class _Cuts:
    """Byte ranges that are cut out, never overlapping."""

    def __init__(self) -> None:
        self.fields: list[PersonalField] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def is_free(self, start: int, end: int) -> bool:
        at = bisect_right(self._starts, start)
        return not (at and self._ends[at - 1] > start) and not (
            at < len(self._starts) and self._starts[at] < end
        )

    def add(self, path: str, start: int, end: int, category: str, subject: Subject) -> None:
        if end > start and self.is_free(start, end):
            at = bisect_right(self._starts, start)
            self._starts.insert(at, start)
            self._ends.insert(at, end)
            self.fields.append(PersonalField(path, start, end, category, subject))


class TellingValues:
    """The telling values of a record with what they are, to be recognised elsewhere."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, Subject]] = {}

    def add(self, value: str, category: str, subject: Subject) -> None:
        """Remember a value if its category and length make it telling."""
        if category in _SEARCHED and is_telling(value):
            self.values.setdefault(value, (category, subject))
            if category == "id_number":
                self.values.setdefault(value.lower(), (category, subject))
                self.values.setdefault(value.upper(), (category, subject))

    def found_in(self, text: str) -> tuple[str, Subject] | None:
        """What a text repeats: the category and subject of a value in it, or None."""
        if len(self.values) <= _FEW:
            return next((self.values[value] for value in self.values if value in text), None)
        return next((self.values[word] for word in _WORD_TEXT.findall(text) if word in self.values), None)

    def byte_forms(self) -> list[tuple[bytes, tuple[str, Subject]]]:
        forms: dict[bytes, tuple[str, Subject]] = {}
        for value in sorted(self.values, key=len, reverse=True):
            for encoding in ("utf-8", "gb18030"):
                forms.setdefault(value.encode(encoding, "replace"), self.values[value])
        return list(forms.items())


def telling_values(message: Message, record: Record) -> TellingValues:
    """The personal values of a record that no event may repeat."""
    secrets = TellingValues()
    for field, category, subject in _personal_fields(message, record):
        secrets.add(field.value, category, subject)
    return secrets


def _leaves(element: Element) -> Iterator[Element]:
    return (below for below in element.iter() if not below.children and below.parts)


def _search_bytes(data: bytes, start: int, end: int, secrets: TellingValues, path: str, cuts: _Cuts) -> None:
    if len(secrets.values) > _FEW:
        return
    for form, (category, subject) in secrets.byte_forms():
        at = data.find(form, start, end)
        while at >= 0:
            cuts.add(path, at, at + len(form), category, subject)
            at = data.find(form, at + 1, end)


def personal_fields(message: Message, data: bytes) -> tuple[PersonalField, ...]:
    """Every personal datum of the message with its byte range in ``data``, in the order of the bytes."""
    cuts = _Cuts()
    everything = TellingValues()
    place = message.document.byte_range
    owned: list[tuple[Record, TellingValues]] = []
    for record in message.records:
        secrets = TellingValues()
        for field, category, subject in _personal_fields(message, record):
            start, end = place(field.element)
            cuts.add(field.path, start, end, category, subject)
            secrets.add(field.value, category, subject)
            everything.add(field.value, category, subject)
        owned.append((record, secrets))
    for record, secrets in owned:
        for leaf in _leaves(record.element):
            found = secrets.found_in(leaf.text)
            if found is not None:
                cuts.add(f"{record.path}//{leaf.name}", *place(leaf), *found)
        start, end = place(record.element)
        _search_bytes(data, start, end, secrets, record.path, cuts)
    _search_bytes(data, 0, len(data), everything, f"/{message.root.name}", cuts)
    for word in _WORD_BYTES.finditer(data):
        named = everything.values.get(word.group().decode("ascii"))
        if named is not None:
            cuts.add(f"/{message.root.name}", word.start(), word.end(), *named)
    return tuple(sorted(cuts.fields, key=lambda field: field.start))
