"""An example journey on disk: its manifest and its papers, with the places where serials go filled in.

A journey is a folder: ``journey.toml`` (what it is about), ``manifest.csv`` (step, paper, delivering party,
door; in the order of delivery) and ``papers/``. Serials carry the MAC of the deployment that issued them, so
a paper that names items is a template:

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
n). Expanding a paper is pure: the same serials and host give the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec
from openpyxl import Workbook, load_workbook

from suyuan.errors import InputError, NotFoundError
from suyuan.gs1.check_digits import check_digit

Door: TypeAlias = Literal["epcis", "evidence", "activate"]

_EACH = re.compile(r"\{\{\s*each n (\d+)\.\.(\d+)\s*\}\}(.*?)\{\{\s*end\s*\}\}", re.DOTALL)
_EACH_ROW = re.compile(r"\{\{\s*each n (\d+)\.\.(\d+)\s*\}\}")
_RANGE = re.compile(r'(?:(")|<([\w:]+)>)?\{\{\s*(\w+) (\S+?)\.\.(\S+?)\s*\}\}(?:(")|</([\w:]+)>)?')
_PLACEHOLDER = re.compile(_RANGE.pattern + r"|\{\{[^{}]*\}\}")
_INDEX = re.compile(r"(\d*)n([+-]\d+)?|n/(\d+)|(\d+)")
_FIXED_TIME = "2025-01-01T00:00:00Z"


class Journey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a journey is about. ``followed`` is the number of the serial whose trace the demo shows."""

    name: str
    title_en: str
    title_zh: str
    mode: str
    steps: int
    gtin: str
    lot: str
    count: int
    case_gtin: str
    case_serial: str
    first_sscc: str
    ledger_item: str
    facility: str
    order: str
    order_issuer: str
    followed: int


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the manifest. The file may have been taken away: see ``missing``."""

    step: int
    name: str
    delivering_party: str
    door: Door
    path: Path
    journey: Journey

    @property
    def missing(self) -> bool:
        """True if the paper is in the manifest and not in the folder: nobody delivered it."""
        return not self.path.is_file()


def load_journey(folder: Path) -> Journey:
    """What ``folder/journey.toml`` says. Raises ``NotFoundError`` or ``InputError`` (``journey.*``)."""
    path = folder / "journey.toml"
    if not path.is_file():
        raise NotFoundError(
            "journey.absent",
            "The folder holds no journey.",
            path=str(path),
            remedy="Name a folder of examples/.",
        )
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Journey)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError("journey.malformed", f"{error}.", path=str(path)) from None


def load_manifest(folder: Path) -> list[Paper]:
    """The papers of the journey in ``folder``, in the order in which they are delivered.

    A paper whose file is gone stays in the list (``Paper.missing``): the step is owed all the same.
    Raises ``NotFoundError`` or ``InputError`` (``journey.*``).
    """
    journey = load_journey(folder)
    path = folder / "manifest.csv"
    if not path.is_file():
        raise NotFoundError("journey.absent", "The journey has no manifest.", path=str(path))
    papers = []
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            step, name, door = row.get("step"), row.get("paper"), row.get("door")
            party = row.get("delivering_party")
            if not step or not step.isdecimal() or not name or not party or door not in get_args(Door):
                raise InputError(
                    "journey.manifest.row",
                    "A row needs a step number, a paper, a delivering party and a door"
                    f" ({', '.join(get_args(Door))}).",
                    path=f"{path}:{line}",
                )
            papers.append(
                Paper(
                    step=int(step),
                    name=name,
                    delivering_party=party,
                    door=msgspec.convert(door, Door),
                    path=folder / "papers" / name,
                    journey=journey,
                )
            )
    return papers


def expand(paper: Paper, serials: Sequence[str], host: str) -> bytes:
    """The paper as it is sent: its template filled with ``serials`` (bare, the whole batch, in order).

    ``host`` is the origin that labels carry, e.g. ``https://trace.example``. Raises ``NotFoundError``
    (``journey.paper.missing``) or ``InputError`` (``journey.serials.count``, ``journey.placeholder``).
    """
    if paper.missing:
        raise NotFoundError(
            "journey.paper.missing", f"The paper {paper.name} is not in the folder.", path=str(paper.path)
        )
    if len(serials) != paper.journey.count:
        raise InputError(
            "journey.serials.count",
            f"The journey needs a batch of {paper.journey.count} serials, not {len(serials)}.",
            remedy="Issue the batch anew and pass all of it.",
        )
    words = _Words(paper.journey, serials, host.rstrip("/"), str(paper.path))
    if paper.path.suffix == ".xlsx":
        return _expand_workbook(paper.path, words)
    raw = paper.path.read_bytes()
    if b"{{" not in raw:
        return raw
    joiner = ",\n" if paper.path.suffix in {".json", ".jsonld"} else ""
    return _Template(raw.decode("utf-8"), words, joiner).render(1).encode("utf-8")


class _Words:
    """What the words of a placeholder stand for."""

    def __init__(self, journey: Journey, serials: Sequence[str], host: str, path: str) -> None:
        self.journey = journey
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
        return f"https://id.gs1.org/01/{self.journey.gtin}/21/{self.serial(number)}"

    def link(self, number: int) -> str:
        return f"{self.host}/01/{self.journey.gtin}/21/{self.serial(number)}"

    def case(self, number: int) -> str:
        return f"https://id.gs1.org/01/{self.journey.case_gtin}/21/{self.journey.case_serial.format(number)}"

    def sscc(self, number: int) -> str:
        body = f"{int(self.journey.first_sscc[:17]) + number - 1:017d}"
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

    def __init__(self, text: str, words: _Words, joiner: str) -> None:
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


def _expand_workbook(path: Path, words: _Words) -> bytes:
    source = load_workbook(path)
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
