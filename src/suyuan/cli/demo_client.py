"""The demo as a client of its deployment: commands where an operator uses them, and the doors, each with a token."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
from rich.console import Console

from suyuan.cli.context import MANNER, problem_of
from suyuan.cli.demo_orders import OrderTrace, order_trace
from suyuan.cli.demo_summary import Delivery, masked
from suyuan.cli.journey import Journey, Paper, expand, load_manifest
from suyuan.errors import InputError, NotFoundError, RefusedError, SuyuanError, UnavailableError
from suyuan.proof.verification import verify_bundle

OPERATOR = "suyuan-operator"
_PUBLISH_SECONDS = 30.0
_DOORS = {
    "epcis": ("/epcis/capture", "capture"),
    "evidence": ("/api/v1/evidence", "capture"),
    "activate": ("/api/v1/codes/activate", "codes.activate"),
}
# What a door answers when the paper is at fault, and not the server or the token.
_ABOUT_THE_PAPER = frozenset({400, 409, 413, 415, 422})
_CONTENT_TYPES = {
    ".jsonld": "application/ld+json",
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class CommandLine:
    """Runs ``suyuan`` commands in this process and reads what they print as JSON."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def __call__(self, *arguments: str) -> Any:
        from suyuan.cli.main import app

        out = io.StringIO()
        language, as_json = MANNER.language, MANNER.as_json
        try:
            with contextlib.redirect_stdout(out):
                app([*arguments, "--data-dir", str(self._data_dir), "--json"], standalone_mode=False)
        finally:
            # The inner command said how it speaks; the demo goes on as it was asked to.
            MANNER.language, MANNER.as_json = language, as_json
        text = out.getvalue().strip()
        return json.loads(text) if text else None


class Issued(NamedTuple):
    """A batch of a journey: its serials, and what the label of the followed item says."""

    batch_id: int
    issuer: str
    serials: list[str]
    code_text: str


class Demo:
    """One run: a deployment, its parties' tokens, a client for its doors."""

    def __init__(
        self, client: httpx.Client, command_line: CommandLine, console: Console, base_url: str
    ) -> None:
        self.client = client
        self.suyuan = command_line
        self.console = console
        self.base_url = base_url
        self.tokens: dict[str, str] = {}

    def prepare(self, folder: Path) -> None:
        """The operator, the parties of the folder with a token each, products and places."""
        if OPERATOR not in self.tokens:
            self.suyuan(
                "party",
                "add",
                OPERATOR,
                "--name-en",
                "Demo operator",
                "--name-zh",
                "演示运营方",
                "--role",
                "operator",
            )
            self.tokens[OPERATOR] = self.token(OPERATOR, "operator")
        self.suyuan("party", "import", str(folder / "parties.csv"))
        for paper in load_manifest(folder):
            party = paper.delivering_party
            if party not in self.tokens:
                self.tokens[party] = self.token(party, "capture", "codes.activate")
        self.suyuan("product", "put", str(folder / "products.csv"), "--party", OPERATOR)
        self.suyuan("place", "put", str(folder / "places.csv"), "--party", OPERATOR)

    def token(self, party: str, *scopes: str) -> str:
        """A new token of a party."""
        options = [option for scope in scopes for option in ("--scope", scope)]
        return str(self.suyuan("token", "create", "--party", party, *options)["secret"])

    def issue(self, journey: Journey, owner: str) -> Issued:
        """Issue the journey's batch and read its codes back."""
        pattern = ["--pattern"] if journey.tag_style else []
        with tempfile.TemporaryDirectory(prefix="suyuan-") as folder:
            file = Path(folder) / "codes.csv"
            batch = self.suyuan(
                "issue", "--gtin", journey.gtin, "--lot", journey.lot, "--count", str(journey.count),
                "--party", owner, "--format", "csv", "--out", str(file), *pattern,
            )  # fmt: skip
            lines = file.read_text("utf-8").splitlines()
        names, *rows = (line.split(",") for line in lines)
        serial, uri = names.index("serial"), names.index("uri")
        followed = rows[journey.followed - 1]
        return Issued(batch["batch_id"], owner, [row[serial] for row in rows], followed[uri])

    def deliver(self, paper: Paper, serials: Sequence[str]) -> Delivery:
        """Send one paper through its door with its party's token, and wait until it is taken.

        A paper that is refused for what stands in it is told, and the journey goes on without it.
        """
        delivery = Delivery(step=paper.step, paper=paper.name, party=paper.delivering_party)
        if paper.missing:
            return msgspec.structs.replace(delivery, missing=True)
        try:
            stored = self._send(paper, serials)
        except (InputError, RefusedError) as refusal:
            return msgspec.structs.replace(delivery, refused=problem_of(refusal))
        events = stored.get("events") or (
            [{"event_id": stored["event_id"]}] if stored.get("event_id") else []
        )
        return msgspec.structs.replace(
            delivery,
            event_ids=tuple(event["event_id"] for event in events),
            kind=stored.get("kind", "command"),
            warnings=tuple(stored.get("warnings") or ()),
        )

    def _send(self, paper: Paper, serials: Sequence[str]) -> dict[str, Any]:
        path, _ = _DOORS[paper.door]
        answer = self.client.post(
            path,
            params={"name": paper.name} if paper.door == "evidence" else None,
            content=expand(paper, serials, self.base_url),
            headers={
                **self.bearer(paper.delivering_party),
                "Content-Type": _CONTENT_TYPES.get(paper.path.suffix, "application/octet-stream"),
            },
        )
        stored: dict[str, Any] = self.read(answer)
        if paper.door == "epcis":
            capture = answer.headers["Location"].rsplit("/", 1)[-1]
            found = self.client.get(
                f"/api/v1/evidence/{capture}", headers=self.bearer(paper.delivering_party)
            )
            stored = self.read(found)
        return stored

    def bearer(self, party: str) -> dict[str, str]:
        """The header with a party's token."""
        return {"Authorization": f"Bearer {self.tokens[party]}"}

    def read(self, answer: httpx.Response) -> Any:
        """The answer's JSON.

        Raises what the door said: ``RefusedError`` where it is about what was sent, else ``SuyuanError``.
        """
        body = answer.json() if answer.content else {}
        if answer.is_error:
            kind = RefusedError if answer.status_code in _ABOUT_THE_PAPER else SuyuanError
            raise kind(
                body.get("code", f"http.{answer.status_code}"),
                body.get("detail", answer.reason_phrase),
                path=body.get("path") or str(answer.request.url.path),
                remedy=body.get("remedy", ""),
            )
        return body

    def ask(self, path: str, **query: str) -> Any:
        """What a door tells the operator."""
        return self.read(self.client.get(path, params=query, headers=self.bearer(OPERATOR)))

    def number_of(self, document: str) -> str:
        """The number behind a pseudonym, as the door for reveals gives it to the operator."""
        command = {"document": document, "reason": "demo: the second waybill of the followed parcel"}
        found = self.read(self.client.post("/api/v1/reveal", json=command, headers=self.bearer(OPERATOR)))
        return str(found["number"])

    def order_page(self, journey: Journey) -> Iterator[OrderTrace]:
        """What the platform's order page shows for the journey's orders, with a token that may only read traces.

        Each number goes in a body; what comes back is a pseudonym.
        """
        if not journey.order_page:
            return
        headers = {"Authorization": f"Bearer {self.token(journey.order_page, 'trace')}"}

        def read_trace(thing: str) -> dict[str, Any]:
            answer = self.client.get("/api/v1/trace", params={"uri": thing}, headers=headers)
            trace: dict[str, Any] = self.read(answer)
            return trace

        for number in filter(None, (journey.order, journey.unlabelled_order)):
            command = {
                "kind": "order",
                "issuer": journey.order_issuer,
                "number": number,
                "reason": "order page: the buyer asks for the trace",
            }
            found = self.read(self.client.post("/api/v1/lookup", json=command, headers=headers))
            shown = order_trace(masked(number), found, read_trace)
            if shown is not None:
                yield shown

    def check_offline(self, item: str) -> tuple[int, float]:
        """How many facts of the item's public bundle hold, and the milliseconds that checking took.

        None hold where no fact of it is known, which has no bundle. Raises ``SuyuanError`` if one does not hold.
        """
        answer = self.client.get("/api/v1/bundle", params={"uri": item})
        if answer.status_code == NotFoundError.http_status:
            return 0, 0.0
        self.read(answer)
        key = self.client.get("/log/key").text.strip()
        before = time.perf_counter()
        verified = verify_bundle(answer.content, key)
        return len(verified.facts), (time.perf_counter() - before) * 1000

    def wait_until_published(self, item: str) -> dict[str, Any]:
        """The operator's trace of the item, once every fact of it stands in the published log."""
        deadline = time.monotonic() + _PUBLISH_SECONDS
        while True:
            trace: dict[str, Any] = self.ask("/api/v1/trace", uri=item)
            size = int(self.client.get("/log/checkpoint").text.splitlines()[1])
            if all(fact["log_index"] is not None and fact["log_index"] < size for fact in trace["facts"]):
                return trace
            if time.monotonic() > deadline:
                raise UnavailableError("demo.log", "The log did not publish what was captured.")
            time.sleep(0.2)
