"""What every example journey has to hold, and a way to play one on a deployment of the test server."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from suyuan import customs, epcis, sheets
from suyuan.catalog.reading import read_places_csv, read_products_csv
from suyuan.catalog.store import put_places, put_products
from suyuan.cli.journey import Journey, Paper, expand, load_journey, load_manifest
from suyuan.compliance.activation import ActivationCommand, activate_codes
from suyuan.compliance.coverage import coverage_of
from suyuan.compliance.legs import load_profiles
from suyuan.customs.matching import match, papers_of
from suyuan.customs.values import is_id_number
from suyuan.epcis.identifiers import check_uri
from suyuan.gs1.check_digits import check_digit_valid
from suyuan.parties.identifiers import check_customs_code, check_gln, check_uscc
from suyuan.parties.roles import ROLES
from suyuan.trace import OPERATOR

EXAMPLES = Path(__file__).parents[2] / "examples"
HOST = "https://trace.example"
READERS = (epcis, customs, sheets)


class Folder:
    """One example as it lies on disk, read with made-up serials."""

    def __init__(self, name: str) -> None:
        self.path = EXAMPLES / name
        self.journey: Journey = load_journey(self.path)
        self.papers: list[Paper] = load_manifest(self.path)
        self.serials = [f"0{number:019d}" for number in range(1, self.journey.count + 1)]
        self.sent = {paper.name: expand(paper, self.serials, HOST) for paper in self.papers}
        self.readings = {paper.name: self._read(paper) for paper in self.papers if paper.door != "activate"}

    def _read(self, paper: Paper) -> Any:
        data = self.sent[paper.name]
        [reader] = [reader for reader in READERS if reader.recognise(data, paper.name)]
        assert (reader is epcis) == (paper.door == "epcis")
        return reader.read(data, name=paper.name)

    @property
    def events(self) -> list[tuple[int, Any]]:
        """Every event with the number of its step."""
        return [
            (paper.step, derived.event)
            for paper in self.papers
            if paper.name in self.readings
            for derived in self.readings[paper.name].events
        ]

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.path / name).read_text("utf-8"))))

    def item(self, number: int) -> str:
        return f"https://id.gs1.org/01/{self.journey.gtin}/21/{self.serials[number - 1]}"


def check_papers(folder: Folder) -> None:
    """Manifest, readings, order in time and identifiers."""
    names = [paper.name for paper in folder.papers]
    steps = [paper.step for paper in folder.papers]
    assert len(set(names)) == len(names)
    assert set(names) == {path.name for path in (folder.path / "papers").iterdir()}
    assert steps == sorted(steps)
    assert set(steps) == set(range(1, folder.journey.steps + 1))
    assert {paper.delivering_party for paper in folder.papers} <= {
        r["id"] for r in folder.rows("parties.csv")
    }
    assert all(paper.name.startswith(f"{paper.step:02d}-") for paper in folder.papers)
    assert all(reading.events and not reading.warnings for reading in folder.readings.values())
    ends: dict[int, datetime] = {}
    for step, event in folder.events:
        ends[step] = max(ends.get(step, event.event_time), event.event_time)
        for uri in epcis.identifier_uris(event):
            check_uri(uri)
    assert [ends[step] for step in sorted(ends)] == sorted(ends.values())
    assert check_digit_valid(folder.journey.gtin)
    assert sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file()) < 150_000


def check_master_data(folder: Folder) -> None:
    """Parties, products and places are well formed and say the same as the other journeys."""
    [product] = read_products_csv((folder.path / "products.csv").read_bytes())
    parties = {row["id"]: row for row in folder.rows("parties.csv")}
    assert product.gtin == folder.journey.gtin
    assert {product.producer, product.distributor, product.seller, folder.journey.issued_by} <= parties.keys()
    for row in parties.values():
        assert set(row["roles"].split()) <= ROLES.keys()
        assert not row["gln"] or check_gln(row["gln"])
        assert not row["uscc"] or check_uscc(row["uscc"])
        assert not row["customs_code"] or check_customs_code(row["customs_code"])
    places = {row["uri"]: row for row in folder.rows("places.csv")}
    named = {
        place.id for _, event in folder.events for place in (event.read_point, event.biz_location) if place
    }
    assert named == places.keys()
    for manifest in EXAMPLES.glob("*/manifest.csv"):
        other = manifest.parent
        for row in csv.DictReader(io.StringIO((other / "parties.csv").read_text("utf-8"))):
            assert parties.setdefault(row["id"], row) == row
        for row in csv.DictReader(io.StringIO((other / "places.csv").read_text("utf-8"))):
            assert places.setdefault(row["uri"], row) == row
    for column in ("gln", "uscc", "customs_code"):
        numbers = [row[column] for row in parties.values() if row[column]]
        assert len(set(numbers)) == len(numbers)


def check_persons(folder: Folder, ids: set[str]) -> None:
    """People are invented, and what is personal stands in the events as raw URIs only."""
    text = "\n".join(data.decode("utf-8") for data in folder.sent.values())
    found = set(re.findall(r"<ceb:(?:buyer|payer)IdNumber>([^<]+)<", text))
    assert found == ids
    assert all(is_id_number(one) and one.startswith("990101") for one in found)
    for name, reading in folder.readings.items():
        events = re.sub(r"urn:suyuan:raw:[^']*", "", repr([derived.event for derived in reading.events]))
        for field in reading.personal:
            value = folder.sent[name][field.start : field.end].decode("utf-8")
            assert value not in events
            if field.category == "name":
                assert value.startswith("测试")
            elif field.category == "phone":
                assert value.startswith("1990000")
            elif field.category == "address":
                assert "示例" in value


def contradictions(folder: Folder) -> list[str]:
    """In what the purchases' papers contradict each other or go beyond a limit."""
    records = [
        record
        for paper in folder.papers
        if paper.path.suffix == ".xml"
        for record in papers_of(folder.sent[paper.name], paper.name)
    ]
    assert {record.kind for record in records} == {"order", "payment", "waybill", "list"}
    return [finding.code for _, finding in match(records)]


class Played:
    """A journey on a deployment: its serials and the events of each step."""

    def __init__(self, folder: Folder, deployment: Any, serials: list[str]) -> None:
        self.journey = folder.journey
        self.deployment = deployment
        self.serials = serials
        self.steps: dict[int, set[str]] = {}

    @property
    def item(self) -> str:
        return f"https://id.gs1.org/01/{self.journey.gtin}/21/{self.serials[self.journey.followed - 1]}"

    def parcel(self, number: str) -> str:
        vault = self.deployment.services.vault
        return str(vault.pseudonym("waybill", self.journey.waybill_issuer, number))

    def steps_on(self, trace: Any) -> set[int]:
        """The steps of which a fact stands on the trace."""
        ids = {fact.event_id for fact in trace.facts}
        return {step for step, found in self.steps.items() if found & ids}

    async def coverage(self, thing: str, now: datetime) -> Any:
        return coverage_of(await self.deployment.trace(thing, OPERATOR), load_profiles(), now)


async def play(
    folder: Folder, deployment: Any, *, without: frozenset[str] = frozenset(), backwards: bool = False
) -> Played:
    """Every paper by the party that owes it. Activations come last where the papers come backwards."""
    journey = folder.journey
    for row in folder.rows("parties.csv"):
        fields = {name: row[name] for name in ("gln", "uscc", "customs_code") if row[name]}
        await deployment.member(row["id"], *row["roles"].split(), **fields)
    owner = journey.issued_by
    products = read_products_csv((folder.path / "products.csv").read_bytes())
    places = read_places_csv((folder.path / "places.csv").read_bytes())
    await put_products(deployment.pool, products, recorded_by=owner)
    await put_places(deployment.pool, places, recorded_by=owner)
    serials = await deployment.issued(
        journey.count, await deployment.deliverer(owner), lot=journey.lot, gtin=journey.gtin
    )
    played = Played(folder, deployment, serials)
    papers = [paper for paper in folder.papers if paper.name not in without]
    if backwards:
        papers.sort(key=lambda paper: (paper.door == "activate", -folder.papers.index(paper)))
    for paper in papers:
        party = await deployment.deliverer(paper.delivering_party)
        data = expand(paper, serials, HOST)
        if paper.door == "activate":
            command = msgspec.json.decode(data, type=ActivationCommand)
            done = await activate_codes(deployment.pool, deployment.capture, command, party)
            ids = {done.event_id}
        else:
            stored = await deployment.capture.submit(data, party, name=paper.name)
            assert stored.warnings == ()
            ids = {outcome.event_id for outcome in stored.events}
        played.steps.setdefault(paper.step, set()).update(ids)
    return played
