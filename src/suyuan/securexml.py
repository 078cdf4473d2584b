"""Reading XML from strangers: bounded, without DTDs, with the place of every value in the bytes.

No entity is ever declared or fetched (a bare ``<!DOCTYPE name>``, which declares nothing, is let pass).
Depth, elements and attributes are limited before memory is, and errors are our own (``xml.*``). Each element
knows the byte range of its text in the bytes that were given, which is what lets personal data be cut out of
evidence and put back exactly.

Chinese senders also declare GB2312, GBK or GB18030, which expat cannot read: such a document is read
through UTF-8 and its ranges are mapped back to the original bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Protocol
from xml.parsers import expat

from suyuan.errors import InputError, TooLargeError

_DECLARED = re.compile(rb'^\s*<\?xml[^>]*?encoding\s*=\s*["\']([A-Za-z0-9._-]+)["\']')
_CHINESE = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "hz-gb-2312": "hz"}


class Element:
    """One element: expanded name, attributes (``{ns}name`` or ``name``), text, children.

    ``start`` and ``end`` bound the element's character content in the document's bytes (for an element
    with children: everything between its tags). ``line`` counts from 1. A tree is read, never changed.
    """

    __slots__ = (
        "attributes",
        "children",
        "end",
        "line",
        "name",
        "ns",
        "number",
        "parent",
        "parts",
        "prefix",
        "start",
    )

    def __init__(self, ns: str, name: str, prefix: str, parent: Element | None, line: int) -> None:
        self.ns = ns
        self.name = name
        self.prefix = prefix
        self.parent = parent
        # Most elements have neither: one empty object for all of them saves a large document much memory.
        self.attributes = _NO_ATTRIBUTES
        self.children = _NO_CHILDREN
        self.parts: list[str] = []
        self.start = 0
        self.end = 0
        self.line = line
        # Among its namesakes, from 1; 0 where the siblings are all there to be counted.
        self.number = 0

    @property
    def text(self) -> str:
        """The element's own character data, stripped of surrounding white space."""
        return "".join(self.parts).strip()

    def find(self, name: str) -> Element | None:
        """The first child with this local name, in whatever namespace."""
        return next((child for child in self.children if child.name == name), None)

    def find_all(self, name: str) -> list[Element]:
        """The children with this local name."""
        return [child for child in self.children if child.name == name]

    def iter(self) -> Iterator[Element]:
        """This element and all below it, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))

    @property
    def path(self) -> str:
        """An XPath-like place for messages, e.g. ``/CEB621Message/Inventory[2]/InventoryHead/qty``."""
        steps: list[str] = []
        element: Element | None = self
        while element is not None:
            step = element.name
            if element.number:
                step += f"[{element.number}]"
            elif element.parent is not None:
                twins = element.parent.find_all(element.name)
                if len(twins) > 1:
                    step += f"[{twins.index(element) + 1}]"
            steps.append(step)
            element = element.parent
        return "/" + "/".join(reversed(steps))


_NO_ATTRIBUTES: dict[str, str] = {}
_NO_CHILDREN: list[Element] = []


class _Builder:
    def __init__(self, data: bytes, max_depth: int, max_elements: int) -> None:
        self.data = data
        self.base = 0  # where ``data`` begins in the document
        self.max_depth = max_depth
        self.max_elements = max_elements
        self.root: Element | None = None
        self.current: Element | None = None
        self.depth = 0
        self.count = 0
        self.names: dict[str, tuple[str, str, str]] = {}
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.namespace_prefixes = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self.open
        self.parser.EndElementHandler = self.close
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.refuse_doctype

    def refuse_doctype(self, _: str, system_id: str | None, public_id: str | None, subset: int) -> None:
        if not subset and system_id is None and public_id is None:
            return
        raise InputError(
            "xml.doctype.forbidden",
            "The document declares a DTD; documents with a DTD or entities are not read.",
            path=f"line {self.parser.CurrentLineNumber}",
            remedy="Remove the <!DOCTYPE ...> declaration and send the document again.",
        )

    def split(self, name: str) -> tuple[str, str, str]:
        """Namespace, local name and prefix of expat's name for an element or attribute."""
        parts = name.split(" ")
        found = (parts[0], parts[1], parts[2] if len(parts) > 2 else "") if len(parts) > 1 else ("", name, "")
        if len(self.names) < 4096:
            self.names[name] = found
        return found

    def open(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > self.max_depth:
            raise TooLargeError(
                "xml.depth.exceeded",
                f"Elements are nested more than {self.max_depth} deep.",
                path=f"line {self.parser.CurrentLineNumber}",
            )
        if self.count > self.max_elements:
            raise TooLargeError("xml.elements.exceeded", f"More than {self.max_elements} elements.")
        if len(attributes) > 64:
            raise TooLargeError("xml.attributes.exceeded", "An element has more than 64 attributes.")
        ns, local, prefix = self.names.get(name) or self.split(name)
        element = Element(ns, local, prefix, self.current, self.parser.CurrentLineNumber)
        if attributes:
            element.attributes = {}
            for key, value in attributes.items():
                attribute_ns, attribute, _ = self.names.get(key) or self.split(key)
                element.attributes[f"{{{attribute_ns}}}{attribute}" if attribute_ns else attribute] = value
        element.start = (
            self.base + self.tag_end(self.parser.CurrentByteIndex - self.base, bool(attributes)) + 1
        )
        if self.current is None:
            self.root = element
        elif self.current.children is _NO_CHILDREN:
            self.current.children = [element]
        else:
            self.current.children.append(element)
        self.current = element

    def tag_end(self, index: int, quoted: bool) -> int:
        """Index in ``data`` of the first ``>`` outside quotes of the tag that starts at ``index``.

        Without attributes and namespace declarations there are no quotes to look for.
        """
        close = self.data.find(b">", index)
        if not quoted and self.data.find(b"=", index, close) < 0:
            return close if close >= 0 else len(self.data)
        position = index
        while True:
            close = self.data.find(b">", position)
            if close < 0:
                return len(self.data)
            quote = min(
                (found for found in (self.data.find(q, position, close) for q in (b'"', b"'")) if found >= 0),
                default=-1,
            )
            if quote < 0:
                return close
            after = self.data.find(self.data[quote : quote + 1], quote + 1)
            if after < 0:
                return close
            position = after + 1

    def close(self, _: str) -> None:
        element = self.current
        assert element is not None
        index = self.parser.CurrentByteIndex
        at = index - self.base
        if self.data[at : at + 2] == b"</":
            element.end = index
        else:  # an empty-element tag has no content; its end event points at its own start
            element.end = element.start
        self.current = element.parent
        self.depth -= 1

    def characters(self, text: str) -> None:
        if self.current is not None:
            self.current.parts.append(text)

    def parse(self, data: bytes, last: bool) -> None:
        """Give bytes to the parser. Raises ``InputError`` (``xml.malformed``, ``xml.encoding.unsupported``)."""
        try:
            self.parser.Parse(data, last)
        except expat.ExpatError as error:
            raise InputError(
                "xml.malformed",
                "The document is not well-formed XML:"
                f" {expat.errors.messages.get(error.code, 'unreadable')}.",
                path=f"line {error.lineno}, column {error.offset + 1}",
                remedy="Send the file as the sending system wrote it; a cut transfer is the usual cause.",
            ) from None
        except (ValueError, LookupError, UnicodeError) as error:
            raise InputError(
                "xml.encoding.unsupported", f"The declared encoding cannot be read: {error}."
            ) from None


class Readable(Protocol):
    """Where bytes come from: a file, or anything that is read like one."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class XmlStream(_Builder):
    """A long document, of which chosen elements are given out one by one, each with its bytes, and let go again.

    ``wanted`` says of an element that has just been opened whether it is one of them; chosen elements do not lie
    within each other. What is not chosen stays in the tree under ``root``, whole when the stream is over. A
    chosen element's ``number`` counts those of its name. UTF-8 and what expat reads itself: ``is_utf8`` tells.
    """

    def __init__(
        self,
        source: Readable,
        wanted: Callable[[Element], bool],
        *,
        block: int = 256 * 1024,
        max_depth: int = 64,
        max_elements: int = 3_000_000,
    ) -> None:
        """``max_elements`` bounds each chosen element with what surrounds it up to the next."""
        super().__init__(b"", max_depth, max_elements)
        self._source, self._wanted, self._block = source, wanted, block
        self._chosen: Element | None = None
        self._from = 0
        self._numbers: dict[str, int] = {}
        self._ready: list[tuple[Element, int, bytes]] = []

    @property
    def pending(self) -> int:
        """How many bytes of a chosen element are held that is not over yet."""
        return self.base + len(self.data) - self._from if self._chosen is not None else 0

    def __iter__(self) -> Iterator[tuple[Element, int, bytes]]:
        """The chosen elements: element, where its bytes begin in the document, its bytes."""
        while data := self._source.read(self._block):
            # What expat has not told of yet may begin anywhere behind the last thing that it told of.
            keep = self._from if self._chosen is not None else max(0, self.parser.CurrentByteIndex)
            self.data = self.data[max(0, keep - self.base) :] + data
            self.base = max(self.base, keep)
            self.parse(data, False)
            yield from self._ready
            self._ready.clear()
        self.parse(b"", True)
        yield from self._ready
        if self.root is None:
            raise InputError("xml.malformed", "The document has no root element.")

    def open(self, name: str, attributes: dict[str, str]) -> None:
        super().open(name, attributes)
        element = self.current
        if self._chosen is None and element is not None and self._wanted(element):
            self._chosen = element
            self._from = self.parser.CurrentByteIndex
            element.number = self._numbers[element.name] = self._numbers.get(element.name, 0) + 1

    def close(self, name: str) -> None:
        element = self.current
        super().close(name)
        if element is None or element is not self._chosen:
            return
        end = self.tag_end(self.parser.CurrentByteIndex - self.base, True) + 1
        piece = self.data[self._from - self.base : end]
        self._ready.append((element, self._from, piece))
        self._chosen = None
        self.count = 0
        if element.parent is not None:
            element.parent.children.pop()
            element.parent.parts.clear()  # the white space between them


def is_utf8(start: bytes) -> bool:
    """Whether a document that begins so can be streamed: no encoding is declared that is read through UTF-8."""
    declared = _DECLARED.match(start[:200])
    if declared is not None and declared.group(1).decode("ascii").lower() not in ("utf-8", "us-ascii"):
        return False
    return start[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Document:
    """A parsed document: its ``root`` and, where the bytes were transcoded, the way back to them."""

    def __init__(self, root: Element, original: bytes, utf8: bytes, codec: str | None) -> None:
        self.root = root
        self._utf8 = utf8
        self._codec = codec
        # Only the declaration at the very start differs between the two forms, by this many characters.
        self._text = original.decode(codec) if codec else ""
        self._shift = len(utf8.decode("utf-8")) - len(self._text) if codec else 0

    def byte_range(self, element: Element) -> tuple[int, int]:
        """Start and end of the element's content in the bytes that were given to ``read_xml``."""
        if self._codec is None:
            return element.start, element.end
        first = len(self._utf8[: element.start].decode("utf-8")) - self._shift
        last = first + len(self._utf8[element.start : element.end].decode("utf-8"))
        start = len(self._text[:first].encode(self._codec))
        return start, start + len(self._text[first:last].encode(self._codec))


def _transcode(data: bytes) -> tuple[bytes, str | None]:
    declared = _DECLARED.match(data[:200])
    if declared is None:
        if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            # Ranges are counted in UTF-8, so UTF-16 goes the same way as the Chinese encodings.
            codec = "utf-16"
        else:
            return data, None
    else:
        codec = _CHINESE.get(declared.group(1).decode("ascii").lower(), "")
        if not codec:
            return data, None
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise InputError(
            "xml.encoding.broken",
            f"The bytes are not valid {codec} at byte {error.start}.",
            remedy="Save the file in the encoding that its first line declares, or as UTF-8.",
        ) from None
    if codec == "utf-16":
        raise InputError(
            "xml.encoding.unsupported",
            "UTF-16 documents are not read.",
            remedy="Save the file as UTF-8.",
        )
    body = re.sub(r'(<\?xml[^>]*?encoding\s*=\s*["\'])[A-Za-z0-9._-]+', r"\g<1>utf-8", text, count=1)
    if text.encode(codec) != data:
        raise InputError("xml.encoding.ambiguous", f"The bytes do not survive a round trip through {codec}.")
    return body.encode("utf-8"), codec


def read_xml(data: bytes, *, max_depth: int = 64, max_elements: int = 1_000_000) -> Document:
    """Parse ``data`` and return its tree.

    Raises ``InputError`` (``xml.malformed``, ``xml.doctype.forbidden``, ``xml.encoding.*``) or
    ``TooLargeError`` (``xml.depth.exceeded``, ``xml.elements.exceeded``, ``xml.attributes.exceeded``).
    """
    utf8, codec = _transcode(data)
    builder = _Builder(utf8, max_depth, max_elements)
    builder.parse(utf8, True)
    if builder.root is None:
        raise InputError("xml.malformed", "The document has no root element.")
    return Document(builder.root, data, utf8, codec)
