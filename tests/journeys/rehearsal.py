"""The example journeys captured in the room's own process, bonded import with 48 tins instead of 43,200."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
from deployment import Deployment, open_deployment
from openpyxl import load_workbook

from suyuan.capture.store import Stored
from suyuan.catalog import put_places, put_products, read_places_csv, read_products_csv
from suyuan.cli.journey import Journey, Paper, expand, load_journey, load_manifest
from suyuan.cli.membership import read_parties_csv
from suyuan.compliance.activation import ActivationCommand, activate_codes
from suyuan.db import embedded
from suyuan.issuing import find_batches, issue, iter_serials
from suyuan.parties.members import add_party
from suyuan.parties.roles import grant_role

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HOST = "https://trace.example"

# 8 cases of 6 tins, 4 pallets of 2 cases, 2 containers of 2 pallets; 46 received, 2 damaged.
_SMALLER = [
    (r"\b43200\b", "48"),
    (r"\b43198\b", "46"),
    (r"\b43199\b", "47"),
    (r"\b21600\b", "24"),
    (r"n 1\.\.7200\b", "n 1..8"),
    (r"\bn/120\b", "n/2"),
    (r"sscc 1\.\.30\b", "sscc 1..2"),
    (r"sscc 31\.\.60\b", "sscc 3..4"),
    (r"n 1\.\.30\b", "n 1..2"),
    (r"n 31\.\.59\b", "n 3..3"),
    (r"sscc 60\b", "sscc 4"),
]
_CELLS = {720: 12, 718: 10}


def smaller(text: str) -> str:
    for pattern, by in _SMALLER:
        text = re.sub(pattern, by, text)
    return text


def small_journey(target: Path) -> Path:
    """The bonded journey with fewer tins, in ``target``."""
    shutil.copytree(EXAMPLES / "bonded", target)
    for path in [target / "journey.toml", *sorted((target / "papers").iterdir())]:
        if path.suffix != ".xlsx":
            path.write_text(smaller(path.read_text("utf-8")), "utf-8")
            continue
        workbook = load_workbook(path)
        for sheet in workbook:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str):
                        cell.value = smaller(cell.value)
                    elif cell.value in _CELLS:
                        cell.value = _CELLS[cell.value]
        workbook.save(path)
    return target


class Rehearsal:
    """A journey's folder and a database in which its parties are and its codes are issued, to be copied."""

    def __init__(self, server: embedded.Server, folder: Path, home: Path, database: str) -> None:
        self.server = server
        self.folder = folder
        self.home = home
        self.database = database
        self.serials: list[str] = []
        self._copies = 0

    @property
    def journey(self) -> Journey:
        return load_journey(self.folder)

    @property
    def item(self) -> str:
        journey = self.journey
        return f"https://id.gs1.org/01/{journey.gtin}/21/{self.serials[journey.followed - 1]}"

    def papers(self) -> list[Paper]:
        return load_manifest(self.folder)

    def data(self, paper: Paper) -> bytes:
        return expand(paper, self.serials, HOST)

    async def prepare(self, template: str) -> None:
        """Make the database: parties, catalogue, codes."""
        await _sql(self.server, f"CREATE DATABASE {self.database} TEMPLATE {template} STRATEGY file_copy")
        journey = self.journey
        async with self._open(self.database) as deployment:
            people = read_parties_csv((self.folder / "parties.csv").read_bytes(), "parties.csv")
            for party, roles in people:
                await add_party(deployment.pool, party)
                for role in roles:
                    name, _, scope = role.partition("=")
                    await grant_role(deployment.pool, party.party_id, name, scope)
            owner = journey.issued_by or self.papers()[0].delivering_party
            products = read_products_csv((self.folder / "products.csv").read_bytes())
            await put_products(deployment.pool, products, recorded_by=owner)
            places = read_places_csv((self.folder / "places.csv").read_bytes())
            await put_places(deployment.pool, places, recorded_by=owner)
            await issue(
                deployment.pool,
                deployment.services.mac_keys,
                gtin=journey.gtin,
                lot=journey.lot,
                count=journey.count,
                party_id=owner,
            )
            [batch] = await find_batches(deployment.pool, journey.gtin, journey.lot)
            self.serials = [s async for part in iter_serials(deployment.pool, batch.batch_id) for s in part]

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[Deployment]:
        """A deployment on a copy of the database, with the same keys."""
        self._copies += 1
        name = f"{self.database}_{self._copies}"
        await _sql(self.server, f"CREATE DATABASE {name} TEMPLATE {self.database} STRATEGY file_copy")
        try:
            async with self._open(name) as deployment:
                yield deployment
        finally:
            await _sql(self.server, f"DROP DATABASE {name} WITH (FORCE)")

    def _open(self, database: str):  # type: ignore[no-untyped-def]
        return open_deployment(self.server.database_dsn(database), self.home)

    async def deliver(self, deployment: Deployment, papers: Iterable[Paper]) -> dict[str, Stored | None]:
        """Capture these papers in this order; what became of each by its name."""
        found: dict[str, Stored | None] = {}
        for paper in papers:
            data = self.data(paper)
            party = await deployment.deliverer(paper.delivering_party)
            if paper.door == "activate":
                command = msgspec.json.decode(data, type=ActivationCommand)
                await activate_codes(deployment.pool, deployment.capture, command, party)
                found[paper.name] = None
            else:
                found[paper.name] = await deployment.capture.submit(data, party, name=paper.name)
        return found


async def _sql(server: embedded.Server, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def personal_values(papers: Sequence[bytes]) -> set[str]:
    """Everything that the readers call personal in these papers, as it stands there.

    Free text is left out: what a buyer's parcel holds is also what the goods are called.
    """
    from suyuan.capture.paper import read_paper

    found = set()
    for data in papers:
        for field in read_paper(data).personal:
            if field.category != "free_text":
                found.add(data[field.start : field.end].decode().strip())
    return {value for value in found if len(value) >= 3}
