"""An example journey on disk: its manifest and its papers, with the places where serials go filled in.

A journey is a folder: ``journey.toml`` (what it is about), ``manifest.csv`` (step, paper, delivering party,
door; in the order of delivery) and ``papers/``. Serials carry the MAC of the deployment that issued them, so
a paper that names items is a template (``template`` says how it is written). Expanding a paper is pure: the
same serials and host give the same bytes.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec

from suyuan.cli.template import Words, fill_text, fill_workbook
from suyuan.errors import InputError, NotFoundError

Door: TypeAlias = Literal["epcis", "evidence", "activate"]


class Journey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a journey is about. ``followed`` is the number of the serial whose trace the demo shows.

    Cases, pallets, ledger and facility belong to bonded import, waybills and air waybill to direct mail; what a
    journey does not have is empty. ``issued_by`` has the codes issued; empty means the first delivering party.
    ``order_page`` is the platform that looks up its orders by number, ``unlabelled_order`` one whose goods got no
    label. ``tag_style`` is the style of a hang tag with a pattern; with it the followed item has a dynamic label too,
    and the demo enrols and checks both, ``labels_enrolled`` being when that was in the story.
    """

    name: str
    title_en: str
    title_zh: str
    mode: str
    steps: int
    gtin: str
    lot: str
    count: int
    order: str
    order_issuer: str
    followed: int
    issued_by: str = ""
    case_gtin: str = ""
    case_serial: str = ""
    first_sscc: str = ""
    ledger_item: str = ""
    facility: str = ""
    waybill: str = ""
    waybill_issuer: str = ""
    second_waybill: str = ""
    second_waybill_issuer: str = ""
    air_waybill: str = ""
    order_page: str = ""
    unlabelled_order: str = ""
    tag_style: str = ""
    labels_enrolled: str = ""


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
    journey = paper.journey
    words = Words(
        gtin=journey.gtin,
        case_gtin=journey.case_gtin,
        case_serial=journey.case_serial,
        first_sscc=journey.first_sscc,
        serials=serials,
        host=host.rstrip("/"),
        path=str(paper.path),
    )
    data = paper.path.read_bytes()
    if paper.path.suffix == ".xlsx":
        return fill_workbook(data, words)
    if b"{{" not in data:
        return data
    joiner = ",\n" if paper.path.suffix in {".json", ".jsonld"} else ""
    return fill_text(data.decode("utf-8"), words, joiner).encode("utf-8")
