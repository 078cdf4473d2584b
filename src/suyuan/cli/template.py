"""Papers as templates: serials, cases and pallets by number, ranges of them, and repetitions.

===========================  ======================================================================
``{{item 17}}``              the 17th serial of the batch as a URI on id.gs1.org
``{{serial 17}}``            the bare serial
``{{link 17}}``              the URI as the label carries it, on the host of the deployment
``{{case 3}} {{sscc 1}}``    the third case, the first pallet, as URIs on id.gs1.org
``{{item 1..6}}``            a range: the quoted JSON string or the XML element around it is repeated;
                             in a cell or in bare text the values are separated by blanks
``{{each n 1..60}}...{{end}}``  the text between, once for each n (JSON: joined by commas). In a workbook the
                             marker stands at the head of a row's first cell and the row is repeated
``{{at 2025-08-12T08:00:00 4 n}}``  local time, 4 seconds later for each n after the first
===========================  ======================================================================

Inside ``each`` an index is ``n``, ``6n``, ``6n-5`` or ``n/120`` (the number of the group of 120 that holds
n).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from openpyxl import Workbook, load_workbook

from suyuan.errors import InputError
from suyuan.gs1.check_digits import check_digit

_EACH = re.compile(r"\{\{\s*each n (\d+)\.\.(\d+)\s*\}\}(.*?)\{\{\s*end\s*\}\}", re.DOTALL)
_EACH_ROW = re.compile(r"\{\{\s*each n (\d+)\.\.(\d+)\s*\}\}")
_RANGE = re.compile(r'(?:(")|<([\w:]+)>)?\{\{\s*(\w+) (\S+?)\.\.(\S+?)\s*\}\}(?:(")|</([\w:]+)>)?')
_PLACEHOLDER = re.compile(_RANGE.pattern + r"|\{\{[^{}]*\}\}")
_INDEX = re.compile(r"(\d*)n([+-]\d+)?|n/(\d+)|(\d+)")
_FIXED_TIME = "2025-01-01T00:00:00Z"


class Words:
    """What the words of a placeholder stand for in one journey.

    ``case_serial`` is a format such as ``C{:04d}``; ``serials`` are bare and 1-based in placeholders; ``path``
    is the template's, for errors.
    """

    def __init__(
        self,
        *,
        gtin: str,
        case_gtin: str,
        case_serial: str,
        first_sscc: str,
        serials: Sequence[str],
        host: str,
        path: str,
    ) -> None:
        self.gtin = gtin
        self.case_gtin = case_gtin
        self.case_serial = case_serial
        self.first_sscc = first_sscc
        self.serials = serials
        self.host = host
        self.path = path
        self.by_name: dict[str, Callable[[int], str]] = {
            "item": self.item,
            "serial": self.serial,
            "link": self.link,
            "case": self.case,
            "sscc": self.sscc,
        }

    def serial(self, number: int) -> str:
        if not 1 <= number <= len(self.serials):
            raise self.wrong(f"serial {number}")
        return self.serials[number - 1]

    def item(self, number: int) -> str:
        return f"https://id.gs1.org/01/{self.gtin}/21/{self.serial(number)}"

    def link(self, number: int) -> str:
        return f"{self.host}/01/{self.gtin}/21/{self.serial(number)}"

    def case(self, number: int) -> str:
        if not self.case_gtin:
            raise self.wrong(f"case {number}")
        return f"https://id.gs1.org/01/{self.case_gtin}/21/{self.case_serial.format(number)}"

    def sscc(self, number: int) -> str:
        if not self.first_sscc:
            raise self.wrong(f"sscc {number}")
        body = f"{int(self.first_sscc[:17]) + number - 1:017d}"
        return f"https://id.gs1.org/00/{body}{check_digit(body)}"

    def wrong(self, text: str) -> InputError:
        return InputError(
            "journey.placeholder", f"The placeholder {text!r} cannot be filled.", path=self.path
        )

    def index(self, text: str) -> Callable[[int], int]:
        match = _INDEX.fullmatch(text)
        if match is None:
            raise self.wrong(text)
        factor, offset, group, constant = match.groups()
        if constant:
            return lambda _, value=int(constant): value  # type: ignore[misc]
        if group:
            return lambda n, size=int(group): (n - 1) // size + 1  # type: ignore[misc]
        return lambda n, by=int(factor or 1), plus=int(offset or 0): by * n + plus  # type: ignore[misc]

    def one(self, text: str) -> Callable[[int], str]:
        """The function of n for one placeholder without a range."""
        name, *arguments = text.split() or [""]
        if name == "at" and len(arguments) == 3 and arguments[1].isdecimal():
            try:
                base = datetime.fromisoformat(arguments[0])
            except ValueError:
                raise self.wrong(text) from None
            step, index = int(arguments[1]), self.index(arguments[2])
            return lambda n: (base + timedelta(seconds=step * (index(n) - 1))).isoformat()
        if name not in self.by_name or len(arguments) != 1:
            raise self.wrong(text)
        word, index = self.by_name[name], self.index(arguments[0])
        return lambda n: word(index(n))

    def many(self, match: re.Match[str]) -> Callable[[int], str]:
        """The function of n for a range and what stands around it."""
        quote, tag, name, first, last, quote_after, tag_after = match.groups()
        if name not in self.by_name or quote != quote_after or tag != tag_after:
            raise self.wrong(match.group())
        word, low, high = self.by_name[name], self.index(first), self.index(last)
        before, after, joiner = (
            ('"', '"', ",") if quote else (f"<{tag}>", f"</{tag}>", "") if tag else ("", "", " ")
        )
        return lambda n: joiner.join([f"{before}{word(i)}{after}" for i in range(low(n), high(n) + 1)])


class _Template:
    """Text cut into constants and functions of n once, so that a repeated block costs only its filling."""

    def __init__(self, text: str, words: Words, joiner: str) -> None:
        self.parts: list[str | Callable[[int], str]] = []
        self.words = words
        position = 0
        for each in _EACH.finditer(text):
            self.cut(text[position : each.start()])
            inner = _Template(each[3], words, joiner)
            low, high = int(each[1]), int(each[2])
            self.parts.append(
                lambda _, inner=inner, low=low, high=high: joiner.join(  # type: ignore[misc]
                    [inner.render(n) for n in range(low, high + 1)]
                )
            )
            position = each.end()
        self.cut(text[position:])

    def cut(self, text: str) -> None:
        position = 0
        for mark in _PLACEHOLDER.finditer(text):
            self.parts.append(text[position : mark.start()])
            whole = _RANGE.fullmatch(mark.group())
            self.parts.append(self.words.many(whole) if whole else self.words.one(mark.group()[2:-2].strip()))
            position = mark.end()
        self.parts.append(text[position:])

    def render(self, n: int) -> str:
        return "".join([part if isinstance(part, str) else part(n) for part in self.parts])


def fill_text(text: str, words: Words, joiner: str) -> str:
    """The text with every placeholder filled; ``joiner`` stands between the turns of a repetition.

    Raises ``InputError`` (``journey.placeholder``).
    """
    return _Template(text, words, joiner).render(1)


def fill_workbook(data: bytes, words: Words) -> bytes:
    """The XLSX workbook with every placeholder filled and marked rows repeated; values only, styles are dropped.

    Raises ``InputError`` (``journey.placeholder``).
    """
    source = load_workbook(io.BytesIO(data))
    target = Workbook(write_only=True)
    for sheet in source.worksheets:
        out = target.create_sheet(sheet.title)
        for letter, dimension in sheet.column_dimensions.items():
            out.column_dimensions[letter].width = dimension.width
        for row in sheet.iter_rows(values_only=True):
            values = list(row)
            each = _EACH_ROW.match(values[0]) if values and isinstance(values[0], str) else None
            if each is None:
                numbers = range(1, 2)
            else:
                values[0] = str(values[0])[each.end() :]
                numbers = range(int(each[1]), int(each[2]) + 1)
            cells = [
                _Template(v, words, " ").render if isinstance(v, str) and "{{" in v else v for v in values
            ]
            for n in numbers:
                out.append([cell(n) if callable(cell) else cell for cell in cells])
    buffer = io.BytesIO()
    target.save(buffer)
    return _without_clock(buffer.getvalue())


def _without_clock(workbook: bytes) -> bytes:
    """The same workbook without the time of its writing, so that one paper always has the same bytes."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _FIXED_TIME.encode(), data)
            new.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return result.getvalue()
