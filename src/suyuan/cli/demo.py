"""``suyuan demo``: a whole journey through the public doors, on a deployment of its own.

A server is started on a fresh data directory, parties and tokens are made with the command line, the codes are
issued, and every paper of the journey goes in with its own party's token through the door that a customer would
use. What the summary says is read back from the same doors; nothing in it is written by hand. A paper that was
taken out of the folder is not sent: the missing leg and who owes it are named.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import segno
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from suyuan.cli.context import say
from suyuan.cli.demo_client import OPERATOR, CommandLine, Demo, Issued
from suyuan.cli.demo_labels import LabelReport, LabelWork
from suyuan.cli.demo_orders import purchase_of
from suyuan.cli.demo_server import free_port, fresh_directory, lan_address, server, wait_for_server
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
from suyuan.cli.journey import Journey, Paper, load_journey, load_manifest
from suyuan.cli.users import demo_entrance
from suyuan.enrolment.image_worker import can_look
from suyuan.errors import NotFoundError
from suyuan.gs1.serials import item_uri


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


class Begun(NamedTuple):
    """A journey whose codes are issued; ``labels`` tells what checks of its labels came to, once it is asked."""

    seconds: float
    journey: Journey
    papers: list[Paper]
    issued: Issued
    item: str
    labels: Callable[[], LabelReport | None]


@contextlib.contextmanager
def begun_journey(demo: Demo, folder: Path) -> Iterator[Begun]:
    """A journey with its parties and codes; what cameras see of its labels is drawn and enrolled from now on."""
    started = time.monotonic()
    journey = load_journey(folder)
    papers = load_manifest(folder)
    demo.prepare(folder)
    issued = demo.issue(journey, journey.issued_by or papers[0].delivering_party)
    item = f"https://id.gs1.org/01/{journey.gtin}/21/{issued.serials[journey.followed - 1]}"
    with contextlib.ExitStack() as stack:
        labels = _labels(stack, demo, journey, issued, item)
        yield Begun(time.monotonic() - started, journey, papers, issued, item, labels)


def _labels(
    stack: contextlib.ExitStack, demo: Demo, journey: Journey, issued: Issued, item: str
) -> Callable[[], LabelReport | None]:
    if not journey.tag_style:
        return lambda: None
    if not can_look():
        return lambda: LabelReport(missing="suyuan[label]")
    work = LabelWork(demo, journey, issued, item)
    return stack.enter_context(work.begun()).report


def run_journey(demo: Demo, folder: Path) -> JourneyReport:
    """Deliver all papers of one journey and read back what the deployment says of the followed item."""
    with begun_journey(demo, folder) as begun:
        return finish_journey(demo, begun)


def finish_journey(demo: Demo, begun: Begun) -> JourneyReport:
    """Deliver the papers of a begun journey and read back what the deployment says of the followed item."""
    started = time.monotonic()
    seconds, journey, papers, issued, item, labels = begun
    serials = issued.serials
    deliveries = _deliver_all(demo, journey, papers, serials)
    label = labels()
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
        label=label,
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
        seconds=seconds + time.monotonic() - started,
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


def _played(demo: Demo, folders: Sequence[Path]) -> list[JourneyReport]:
    """All journeys, one after the other. Cameras are slow: those with labels for them are begun first."""
    with contextlib.ExitStack() as stack:
        begun = {
            folder: stack.enter_context(begun_journey(demo, folder))
            for folder in folders
            if load_journey(folder).tag_style
        }
        return [
            finish_journey(demo, begun[folder]) if folder in begun else run_journey(demo, folder)
            for folder in folders
        ]


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
        reports = _played(demo, folders)
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
