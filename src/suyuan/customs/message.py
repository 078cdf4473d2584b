"""From bytes to records: which customs message this is, and its fields with their places.

A message is recognised by its content, never by the name of its file. CEB: the root element
``CEBxxxMessage`` in its namespace. SAS: the child of ``DataInfo/BussinessData``, whatever wraps the package, or the
port's answer to such a message, which nothing wraps.
The official misspellings are kept. What the tables do not know is kept as a field without a rule.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE

from suyuan.customs.tables import FieldRule, MessageTable, message_tables
from suyuan.errors import InputError, TooLargeError, UnsupportedError
from suyuan.securexml import Document, Element, read_xml

# Some seven thousand lists of parcels or lines of a bonded list, of which senders put some hundred into a message. In
# memory they take some twenty times their bytes.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
CEB_NAMESPACE = "http://www.chinaport.gov.cn/ceb"
SIGNATURE_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"

# Nothing that was matched is given back, or a run of blanks would be tried in every division of it.
_PROLOGUE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*+(?>\[[^\]]*+\])?[^>]*+>)*+"
    rb"<(?:[\w.-]+:)?([\w.-]+)",
    re.DOTALL,
)
# The port's answer to a SAS message stands alone. The first spelling is the port's.
ANSWER = "CommonResponeMessage"
_ANSWER_ROOTS = frozenset({ANSWER, "CommonResponseMessage"})
_CEB_ROOT = re.compile(r"CEB\d{3}Message")
# Beside the records a CEB message has these; none of them is a record.
_CEB_FRAME = frozenset({"BaseTransfer", "BaseSubscribe", "Signature", "ExtendMessage", "ExtendedMessage"})


class Field:
    """One field as sent: its value, its place and what the table says of it."""

    __slots__ = ("element", "name", "path", "rule", "value")

    def __init__(self, name: str, value: str, path: str, element: Element, rule: FieldRule | None) -> None:
        self.name = name
        self.value = value
        self.path = path
        self.element = element
        self.rule = rule


class Part:
    """A head or one line of a record. ``fields`` keeps the first of a name, ``repeated`` the others."""

    __slots__ = ("element", "fields", "name", "path", "repeated", "rules")

    def __init__(self, name: str, path: str, element: Element, rules: dict[str, FieldRule]) -> None:
        self.name = name
        self.path = path
        self.element = element
        self.rules = rules
        self.fields: dict[str, Field] = {}
        self.repeated: list[Field] = []

    def value(self, *names: str) -> str:
        """The first of these fields that has a value, else an empty text."""
        for name in names:
            field = self.fields.get(name)
            if field is not None and field.value:
                return field.value
        return ""

    def all_fields(self) -> list[Field]:
        """Every field, repeated ones last."""
        return [*self.fields.values(), *self.repeated]


class Record:
    """One document of a message: its head, its lines by part name, and what is not in the table."""

    __slots__ = ("element", "head", "loose", "many", "path")

    def __init__(self, path: str, element: Element, head: Part) -> None:
        self.path = path
        self.element = element
        self.head = head
        self.many: dict[str, list[Part]] = {}
        self.loose: list[Field] = []

    def lines(self, name: str) -> list[Part]:
        """The lines of one kind, in the order of the message."""
        return self.many.get(name, [])

    def parts(self) -> list[Part]:
        """The head and every line."""
        return [self.head, *(part for lines in self.many.values() for part in lines)]


class Message:
    """A customs message: its table, its records and the document they come from."""

    __slots__ = ("document", "envelope", "records", "root", "strangers", "table")

    def __init__(self, table: MessageTable, document: Document) -> None:
        self.table = table
        self.document = document
        self.root = document.root
        self.records: list[Record] = []
        self.envelope: dict[str, str] = {}
        self.strangers: list[str] = []


def root_name(data: bytes) -> str:
    """Local name of the root element, found without parsing; empty if there is none."""
    start = data[:65536]
    if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        # Not read in this encoding, but refused as the message that it is.
        start = start.decode("utf-16", "ignore").encode()
    found = _PROLOGUE.match(start)
    return found.group(1).decode("utf-8", "replace") if found else ""


def recognise(data: bytes, name: str = "") -> bool:
    """Whether the bytes look like a CEB or SAS message (of whatever number); ``name`` does not matter."""
    del name
    root = root_name(data)
    if _CEB_ROOT.fullmatch(root) or root in _ANSWER_ROOTS:
        return True
    return root in ("Package", "Signature") and b"BussinessData" in data


def _part(element: Element, path: str, rules: dict[str, FieldRule]) -> Part:
    part = Part(element.name, path, element, rules)
    counts: dict[str, int] = {}
    for child in element.children:
        count = counts[child.name] = counts.get(child.name, 0) + 1
        suffix = f"[{count}]" if count > 1 else ""
        field = Field(child.name, child.text, f"{path}/{child.name}{suffix}", child, rules.get(child.name))
        if count == 1:
            part.fields[child.name] = field
        else:
            part.repeated.append(field)
    return part


def _record(element: Element, path: str, table: MessageTable) -> Record | None:
    """The record in ``element``: the head itself, or what holds the head and its lines."""
    if element.name == table.head:
        return Record(path, element, _part(element, path, table.parts[table.head]))
    head = element.find(table.head)
    if head is None:
        return None
    record = Record(path, element, _part(head, f"{path}/{table.head}", table.parts[table.head]))
    counts: dict[str, int] = {}
    for child in element.children:
        if child is head:
            continue
        count = counts[child.name] = counts.get(child.name, 0) + 1
        child_path = f"{path}/{child.name}[{count}]"
        if child.name in table.many:
            part = _part(child, child_path, table.parts[child.name])
            record.many.setdefault(child.name, []).append(part)
        else:
            record.loose.append(Field(child.name, child.text, child_path, child, None))
    return record


def _refuse_namespace(element: Element, expected: str) -> InputError:
    return InputError(
        "customs.namespace.unknown",
        f"{element.name} is in the namespace {element.ns[:100]!r}, which no customs message uses.",
        path=f"/{element.name}",
        remedy=f"Declare the namespace {expected!r}.",
    )


def _unsupported(kind: str) -> UnsupportedError:
    known = ", ".join(sorted(table.kind for table in message_tables().values()))
    return UnsupportedError(
        "customs.message.unsupported",
        f"The customs message {kind[:40]!r} is not read.",
        remedy=f"These are read: {known}.",
    )


def _read_ceb(document: Document) -> Message:
    root = document.root
    if root.ns != CEB_NAMESPACE:
        raise _refuse_namespace(root, CEB_NAMESPACE)
    table = message_tables().get(root.name)
    if table is None:
        raise _unsupported(root.name.removesuffix("Message"))
    message = Message(table, document)
    counts: dict[str, int] = {}
    for child in root.children:
        if child.name in _CEB_FRAME:
            continue
        count = counts[child.name] = counts.get(child.name, 0) + 1
        path = f"/{root.name}/{child.name}[{count}]"
        if child.ns != CEB_NAMESPACE:
            raise _refuse_namespace(child, CEB_NAMESPACE)
        record = _record(child, path, table)
        if record is None:
            message.strangers.append(path)
        else:
            message.records.append(record)
    return message


def _package(root: Element) -> Element | None:
    package: Element | None = root
    if root.name == "Signature":
        holder = next((child for child in root.find_all("Object") if child.find("Package")), None)
        package = holder.find("Package") if holder is not None else None
    return package if package is not None and package.name == "Package" else None


def _read_sas(document: Document) -> Message:
    root = document.root
    package = _package(root)
    data_info = package.find("DataInfo") if package is not None else None
    business = data_info.find("BussinessData") if data_info is not None else None
    if package is None or business is None:
        raise InputError(
            "customs.message.unknown",
            f"The document {root.name[:40]!r} is neither a CEB nor a SAS message.",
            path=f"/{root.name[:40]}",
            remedy="Send a SAS message (Package/DataInfo/BussinessData) or a CEB message (CEBxxxMessage).",
        )
    if package.ns not in ("", SIGNATURE_NAMESPACE):
        raise _refuse_namespace(package, SIGNATURE_NAMESPACE)
    envelope = package.find("EnvelopInfo")
    fields = {child.name: child.text for child in envelope.children} if envelope is not None else {}
    tables = message_tables()
    known = [child for child in business.children if child.name in tables]
    if not known:
        stated = fields.get("message_type") or (business.children[0].name if business.children else "(empty)")
        raise _unsupported(stated)
    table = tables[known[0].name]
    stated = fields.get("message_type", "")
    if (stated and stated != table.kind.removeprefix("SAS/")) or any(
        tables[one.name] is not table for one in known
    ):
        raise InputError(
            "customs.message.contradictory",
            f"The envelope and the content name different messages ({table.kind} in the content).",
            path="/Package/EnvelopInfo/message_type",
            remedy="Send each message in a package of its own with its own message_type.",
        )
    message = Message(table, document)
    message.envelope = fields
    base = business.path
    for count, child in enumerate(known, start=1):
        path = f"{base}/{child.name}" + (f"[{count}]" if len(known) > 1 else "")
        record = _record(child, path, table)
        if record is None:
            message.strangers.append(path)
        else:
            message.records.append(record)
    return message


def _read_answer(document: Document) -> Message:
    root = document.root
    if root.ns:
        raise _refuse_namespace(root, "")
    table = message_tables()[ANSWER]
    message = Message(table, document)
    path = f"/{root.name}"
    message.records.append(Record(path, root, _part(root, path, table.parts[table.head])))
    return message


def check_size(size: int) -> None:
    """Raise ``TooLargeError`` (``customs.message.too_large``) for more bytes than a message has."""
    if size > MAX_MESSAGE_BYTES:
        raise TooLargeError(
            "customs.message.too_large",
            f"The message has {size} bytes; one message has at most {MAX_MESSAGE_BYTES}.",
            remedy="Send the documents as several messages, as customs takes them.",
        )


def read_message(data: bytes) -> Message:
    """Parse ``data`` into a message without judging its values.

    Raises ``InputError`` (``customs.namespace.unknown``, ``customs.message.*``, ``customs.record.none``,
    ``xml.*``), ``UnsupportedError`` (``customs.message.unsupported``) or ``TooLargeError``.
    """
    check_size(len(data))
    if b"\x00" in data:
        # UTF-16 would parse, but its byte ranges could not be trusted.
        raise InputError(
            "customs.encoding.unsupported",
            "The message is not in UTF-8 or a Chinese encoding.",
            remedy="Save the file as UTF-8.",
        )
    document = read_xml(data)
    name = document.root.name
    if name in _ANSWER_ROOTS:
        return _read_answer(document)
    message = _read_ceb(document) if _CEB_ROOT.fullmatch(name) else _read_sas(document)
    if not message.records:
        raise InputError(
            "customs.record.none",
            f"The message holds no {message.table.head}.",
            path=message.strangers[0] if message.strangers else f"/{document.root.name}",
            remedy="Check that the transfer was complete.",
        )
    return message
