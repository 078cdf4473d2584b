"""``suyuan demo``: a whole journey through the public doors, on a deployment of its own.

A server is started on a fresh data directory, parties and tokens are made with the command line, the codes are
issued, and every paper of the journey goes in with its own party's token through the door that a customer would
use. What the summary says is read back from the same doors; nothing in it is written by hand. A paper that was
taken out of the folder is not sent: the missing leg and who owes it are named.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import segno
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from suyuan.cli.context import MANNER, problem_of, say
from suyuan.cli.demo_orders import OrderTrace, order_trace, purchase_of
from suyuan.cli.demo_summary import (
    Delivery,
    JourneyReport,
    delivery_line,
    local_time,
    masked,
    open_legs,
    refusal_text,
    route_of,
    summary_lines,
    trace_address,
)
from suyuan.cli.journey import Journey, Paper, expand, load_journey, load_manifest
from suyuan.cli.users import demo_entrance
from suyuan.errors import InputError, NotFoundError, RefusedError, SuyuanError, UnavailableError
from suyuan.gs1.serials import item_uri
from suyuan.proof.verification import verify_bundle

OPERATOR = "suyuan-operator"
_MARKER = ".suyuan-demo"
_START_SECONDS = 90.0
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


def examples_folder() -> Path:
    """The folder of example journeys: beside the sources, or inside the installed package.

    Raises ``NotFoundError`` (``demo.examples.absent``).
    """
    beside = Path(__file__).resolve().parents[3] / "examples"
    packaged = Path(str(importlib.resources.files("suyuan"))) / "_examples"
    for folder in (beside, packaged):
        if folder.is_dir():
            return folder
    raise NotFoundError(
        "demo.examples.absent",
        "The example journeys are not there.",
        path=str(beside),
        remedy="Run the demo from a checkout, or install the package again.",
    )


def free_port(wanted: int, host: str) -> int:
    """``wanted`` if nothing listens there, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return int(probe.getsockname()[1])
    raise UnavailableError("demo.port", "No port is free.", remedy="Name one with --port.")


def lan_address() -> str:
    """This machine's address in its network, for a phone beside it; localhost where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: nothing is sent by connecting
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def fresh_directory(path: Path) -> Path:
    """An empty directory for the demo. Only one that an earlier demo made is emptied.

    Raises ``UnavailableError`` (``demo.directory``).
    """
    if path.exists() and any(path.iterdir()):
        if not (path / _MARKER).is_file():
            raise UnavailableError(
                "demo.directory",
                "The directory holds something that no demo made.",
                path=str(path),
                remedy="Name another one with --data-dir.",
            )
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / _MARKER).write_text("Made by suyuan demo; the next demo empties it.\n", encoding="utf-8")
    return path


@contextlib.contextmanager
def server(data_dir: Path, host: str, port: int, base_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """``suyuan serve`` as a process of its own, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    environment |= {
        "SUYUAN_DATA_DIR": str(data_dir),
        "SUYUAN_BASE_URL": base_url,
        "SUYUAN_LOG_LEVEL": "warning",
    }
    log = (data_dir / "server.log").open("wb")
    command = [sys.executable, "-m", "suyuan", "serve", "--host", host, "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
        log.close()


def wait_for_server(process: subprocess.Popen[bytes], client: httpx.Client, data_dir: Path) -> None:
    """Wait until the server answers. Raises ``UnavailableError`` (``demo.server``) with its last words."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health").status_code == 200:
                return
        time.sleep(0.1)
    words = (data_dir / "server.log").read_text("utf-8", "replace").strip().splitlines()[-5:]
    raise UnavailableError(
        "demo.server", "The server did not start. " + " / ".join(words), path=str(data_dir)
    )


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

    def issue(self, journey: Journey, owner: str) -> list[str]:
        """Issue the journey's batch and read its serials back."""
        with contextlib.ExitStack() as stack:
            file = Path(stack.enter_context(_temporary_directory())) / "codes.csv"
            self.suyuan(
                "issue", "--gtin", journey.gtin, "--lot", journey.lot, "--count", str(journey.count),
                "--party", owner, "--format", "csv", "--out", str(file),
            )  # fmt: skip
            lines = file.read_text("utf-8").splitlines()
        column = lines[0].split(",").index("serial")
        return [line.split(",")[column] for line in lines[1:]]

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


@contextlib.contextmanager
def _temporary_directory() -> Iterator[str]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="suyuan-") as path:
        yield path


def run_journey(demo: Demo, folder: Path) -> JourneyReport:
    """Deliver all papers of one journey and read back what the deployment says of the followed item."""
    started = time.monotonic()
    journey = load_journey(folder)
    papers = load_manifest(folder)
    demo.prepare(folder)
    serials = demo.issue(journey, journey.issued_by or papers[0].delivering_party)
    deliveries = _deliver_all(demo, journey, papers, serials)
    item = f"https://id.gs1.org/01/{journey.gtin}/21/{serials[journey.followed - 1]}"
    trace = demo.wait_until_published(item)
    coverage = demo.ask("/api/v1/coverage", uri=item)
    balance: dict[str, Any] = {"findings": ()}
    if journey.ledger_item:
        balance = demo.ask(
            "/api/v1/balance",
            gtin=journey.gtin,
            lot=journey.lot,
            ledger_item=journey.ledger_item,
            facility=journey.facility,
        )
    consignments = () if journey.ledger_item else demo.ask("/api/v1/consignments", uri=item)
    facts_verified, verify_ms = demo.check_offline(item)
    ids = {fact["event_id"] for fact in trace["facts"]}
    found = sorted({delivery.step for delivery in deliveries if ids & set(delivery.event_ids)})
    page = item_uri(
        demo.base_url.split("//")[1],
        journey.gtin,
        serials[journey.followed - 1],
        scheme=demo.base_url.split(":")[0],
        upper_case=False,
    )
    required = [leg for leg in coverage["legs"] if leg["state"] != "not required"]
    recall, parcels = trace.get("recall"), trace["parcels"]
    taken = [delivery for delivery in deliveries if not delivery.missing and delivery.refused is None]
    return JourneyReport(
        journey=journey.name,
        title_en=journey.title_en,
        title_zh=journey.title_zh,
        item=f"(01){journey.gtin}(21){serials[journey.followed - 1]}",
        steps=journey.steps,
        steps_found=tuple(found),
        papers=len(taken),
        missing_papers=tuple(delivery for delivery in deliveries if delivery.missing),
        refused_papers=tuple(delivery for delivery in deliveries if delivery.refused is not None),
        odd_papers=tuple(delivery for delivery in taken if delivery.warnings),
        route=tuple(route_of(trace, coverage)),
        route_zh=tuple(route_of(trace, coverage, "zh")),
        mode=coverage["mode"],
        legs_present=len(required) - len(open_legs(required)),
        legs_required=len(required),
        legs_open=open_legs(required),
        assurance=coverage["assurance_counts"],
        balance=balance,
        waybills=len(parcels),
        second_waybill=masked(demo.number_of(parcels[1])) if len(parcels) > 1 else "",
        consignments=tuple(consignments),
        aliases=tuple(trace["aliases"]),
        city=coverage["city"],
        purchase=purchase_of(journey, papers),
        orders=tuple(demo.order_page(journey)),
        state=trace["state"],
        findings=tuple(
            finding
            for finding in (*coverage["findings"], *balance["findings"])
            if not finding["code"].startswith("consignment.")  # told with the consignment itself
        ),
        recalled=local_time(recall["since"], recall["zone_offset"]).date().isoformat() if recall else "",
        facts_verified=facts_verified,
        verify_ms=verify_ms,
        page=page,
        api=trace_address(demo.base_url, item),
        log=f"{demo.base_url}/log/checkpoint",
        seconds=time.monotonic() - started,
    )


def _deliver_all(
    demo: Demo, journey: Journey, papers: Sequence[Paper], serials: Sequence[str]
) -> list[Delivery]:
    deliveries = []
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=demo.console, transient=True) as progress:
        task = progress.add_task(journey.name, total=len(papers))
        for paper in papers:
            before = time.monotonic()
            delivery = demo.deliver(paper, serials)
            deliveries.append(delivery)
            progress.advance(task)
            text = delivery_line(delivery, journey.steps, time.monotonic() - before)
            progress.console.print(text, highlight=False)
            if delivery.refused is not None:
                reason = f"{'':8}{escape(refusal_text(delivery.refused))}"
                progress.console.print(reason, highlight=False, soft_wrap=True)
    return deliveries


def print_summary(console: Console, report: JourneyReport) -> None:
    """The summary of one journey."""
    console.print("")
    for line in summary_lines(report):
        console.print(line, highlight=False, soft_wrap=True)


def run(*, once: bool, as_json: bool, data_dir: Path, port: int, host: str) -> int:
    """Run the demo. With ``once`` it ends after the summary, else it serves until it is interrupted."""
    # What is not a terminal has no width: a line stays a line.
    console = Console(stderr=as_json)
    if not console.is_terminal:
        console = Console(stderr=as_json, width=160)
    folders = [entry.parent for entry in sorted(examples_folder().glob("*/journey.toml"))]
    directory = fresh_directory(data_dir)
    port = free_port(port, host)
    base_url = f"http://{'127.0.0.1' if once else lan_address()}:{port}"
    console.print(
        say(f"Starting a deployment in {directory} ...", f"正在 {directory} 启动一套部署……"), highlight=False
    )
    with (
        server(directory, host, port, base_url) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client,
    ):
        wait_for_server(process, client, directory)
        demo = Demo(client, CommandLine(directory), console, base_url)
        reports = [run_journey(demo, folder) for folder in folders]
        entrance = base_url + demo_entrance(directory, OPERATOR)
        reports = [msgspec.structs.replace(report, console=entrance) for report in reports]
        if as_json:
            sys.stdout.write(json.dumps(msgspec.to_builtins(reports), ensure_ascii=False, indent=2) + "\n")
        for report in reports:
            print_summary(console, report)
        if not once:
            text = say(f"Console, once: {entrance}", f"控制台（一次性链接）：{entrance}")
            console.print(f"\n{text}", highlight=False, soft_wrap=True)
            _serve_on(console, reports[0].page, process)
    return 0


def _serve_on(console: Console, page: str, process: subprocess.Popen[bytes]) -> None:
    text = say(
        "Scan with a phone in the same network, or open the buyer page. Ctrl-C ends the demo.",
        "请用同一网络中的手机扫码，或打开买家页面。按 Ctrl-C 结束演示。",
    )
    console.print(f"\n{text}\n")
    segno.make(page, error="m").terminal(compact=True)
    with contextlib.suppress(KeyboardInterrupt):
        process.wait()
