"""``label enrol`` and ``label verify``: records made from folders and videos, and labels held against them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from suyuan.cli.codes import progress_bar
from suyuan.cli.context import AsJson, DataDir, run, say, show
from suyuan.cli.label_files import (
    Fault,
    Faults,
    Files,
    Item,
    count_items,
    loose_items,
    no_image,
    read_text,
    whole_items,
)
from suyuan.errors import InputError, SuyuanError, UnavailableError, VerificationError
from suyuan.label.model import Track

if TYPE_CHECKING:
    from suyuan.app import Services
    from suyuan.capture.prepare import Deliverer
    from suyuan.scans import LabelCheck

TrackOption = Annotated[
    str,
    typer.Option(
        "--track",
        metavar="A|B",
        help="A: a pattern in print. B: a label that changes with the angle. Images are A, a video is B.",
    ),
]


class EnrolReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the labels: enrolled now, there already, and the files with their faults."""

    enrolled: int
    skipped: int
    superseded: int
    faults: tuple[Fault, ...]


class _Order(msgspec.Struct, frozen=True):
    track: str
    party: str
    style: str
    dpi: int | None
    again: bool
    loose: bool
    event_time: datetime | None = None


def enrol(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|VIDEO", exists=True, help="Images of labels, or a video of one.")
    ],
    track: TrackOption = "",
    style: Annotated[
        str, typer.Option("--style", help="Track A: the label style that they were printed with.")
    ] = "",
    dpi: Annotated[
        int, typer.Option("--dpi", help="Track A: the printer's resolution; the style's own where left out.")
    ] = 0,
    party: Annotated[
        str, typer.Option(metavar="ID", help="In whose name; who issued the code where left out.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also labels that are enrolled already: the newest record counts.")
    ] = False,
    event_time: Annotated[
        str,
        typer.Option(
            "--event-time",
            metavar="TIME",
            help="When the images were taken, as 2026-03-01T09:10:00+08:00; now where left out.",
        ),
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Enrol labels from what a line camera, a scanner or a rig delivered.

    DIR has a folder for each item, or loose photos, or videos (track B); the QR code on them tells the item. A label
    that is enrolled is skipped, so a run that broke off is begun again with the same words. The exit code is 0 only if
    every file was good.

    \b
      suyuan label enrol scans/ --style tag-50x25
      suyuan label enrol clips/ --track B --party label-works
    """
    from suyuan.api.labels import read_event_time

    taken = read_event_time(event_time)
    order = _Order(track_of(track) or "", party, style, dpi or None, again, source.is_dir(), taken)
    if style:
        from suyuan.api.batch_files import check_pattern_style
        from suyuan.printing import get_style

        check_pattern_style(get_style(style))  # here once, and not for each of ten thousand labels
    report = run(data_dir, lambda services: _enrol(services, source, order))
    show(report, as_json, lambda: "\n".join(_report_lines(report)))
    if report.faults:
        raise typer.Exit(InputError.exit_code)


def track_of(text: str) -> Track | None:
    """The track that an option names; None where it names none. Raises ``InputError`` (``cli.label.track``)."""
    if text.upper() not in ("", "A", "B"):
        raise InputError("cli.label.track", "There is no such track.", path="--track", remedy="Name A or B.")
    if not text:
        return None
    return "A" if text.upper() == "A" else "B"


def _report_lines(report: EnrolReport) -> list[str]:
    lines = [
        say(
            f"{report.enrolled:,} labels enrolled ({report.superseded:,} of them anew), {report.skipped:,} were"
            " enrolled before and skipped.",
            f"登记标签 {report.enrolled:,} 枚（其中重新登记 {report.superseded:,} 枚），此前已登记而跳过"
            f" {report.skipped:,} 枚。",
        )
    ]
    return lines + [
        f"{one.file}{_and_more(one.files - 1)}: {one.code}: {one.reason} {one.remedy}".rstrip()
        for one in report.faults
    ]


def _and_more(files: int) -> str:
    return say(f" and {files:,} more", f" 及另外 {files:,} 个") if files else ""


async def _enrol(services: Services, source: Path, order: _Order) -> EnrolReport:
    from suyuan.enrolment.image_worker import check_extra

    check_extra()
    enrolled = skipped = superseded = done = 0
    faults = Faults()
    with progress_bar(say("enrolling", "登记"), count_items(source)) as told:
        async for text, item in _items(services, source, order, faults):
            outcome = await _enrol_one(services, text, item, order)
            if isinstance(outcome, Fault):
                faults.add(outcome)
            else:
                enrolled += outcome in ("enrolled", "superseded")
                superseded += outcome == "superseded"
                skipped += outcome == "skipped"
            done += 1
            told(done)
    return EnrolReport(enrolled=enrolled, skipped=skipped, superseded=superseded, faults=faults.told())


async def _items(
    services: Services, source: Path, order: _Order, faults: Faults
) -> AsyncIterator[tuple[str, Item]]:
    """What the code says, with the images, label by label; files that cannot be read go to ``faults``."""
    from suyuan.enrolment.enrolling import MAX_IMAGES

    worker = services.enrolling_images
    if order.loose:
        loose, unread = await loose_items(source, worker)
        for fault in unread:
            faults.add(fault)
        for found in loose:
            yield found
    for item in whole_items(source, MAX_IMAGES["B"] * 4 // 5):
        if isinstance(item, Fault):
            faults.add(item)
            continue
        try:
            text = await read_text(worker, item.images)
        except SuyuanError as error:
            faults.add(Fault.of(item.source, error))
            continue
        yield text, item


async def _enrol_one(services: Services, text: str, item: Item, order: _Order) -> Fault | str:
    from suyuan.api.labels import placement_of
    from suyuan.enrolment.enrolling import EnrolCommand
    from suyuan.enrolment.records import find_enrolments

    track: Track = "A" if (order.track or _usual(item)) == "A" else "B"
    try:
        _, gtin, serial = services.enroller.printed(text)
        there = {one.track for one in await find_enrolments(services.pool, gtin, serial)}
        if track in there and not order.again:
            return "skipped"
        placement = None
        if track == "A" and order.style:
            placement = await placement_of(services, text, order.style, order.dpi)
        deliverer = await _deliverer(services, gtin, serial, order.party)
        command = EnrolCommand(uri=text, track=track, placement=placement, event_time=order.event_time)
        made = await services.enroller.enrol(command, item.images, deliverer)
    except SuyuanError as error:
        return Fault.of(item.file_of(error.path), error)
    except OSError as error:
        return Fault(file=str(item.source), code="cli.file", reason=f"It cannot be read: {error.strerror}.")
    if made.repeated:
        return "skipped"
    return "superseded" if made.supersedes is not None else "enrolled"


def _usual(item: Item) -> str:
    return "A" if isinstance(item.images, Files) else "B"


async def _deliverer(services: Services, gtin: str, serial: str, party: str) -> Deliverer:
    from suyuan.issuing import code_history

    if party:
        return await services.deliverer_of(party)
    history = await code_history(services.pool, gtin, serial)
    if history is None:
        raise InputError(
            "cli.label.party",
            f"The code {serial[:40]} was never issued here.",
            path="--party",
            remedy="Check the label: whose code is it?",
        )
    return await services.deliverer_of(history.batch.issued_by)


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, help="One photo or some, a video, or a folder of frames."
        ),
    ],
    uri: Annotated[
        str,
        typer.Option(
            "--uri", metavar="URI", help="The item; what the code on the label says where left out."
        ),
    ] = "",
    track: TrackOption = "",
    path: Annotated[
        str,
        typer.Option(
            "--path",
            metavar="up,left,...",
            help="Track B: the way in which the phone was to be tilted; any way will do where left out.",
        ),
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Hold a label against the record that was made when it was enrolled; the check is kept as a scan of its code.

    Three answers, each with an exit code: 0 it matches, 7 it does not match, 8 it could not be told, with advice.

    \b
      suyuan label verify photo.jpg
      suyuan label verify clip.mp4 --path up,left,down
    """
    wanted = track_of(track) or ""
    directions = tuple(word.strip() for word in path.split(",") if word.strip())
    asked, check = run(data_dir, lambda services: _verify(services, files, uri, wanted, directions))
    show(
        {"uri": asked, **msgspec.structs.asdict(check)},
        as_json,
        lambda: "\n".join(_check_lines(asked, check)),
    )
    if check.answer != "matches":
        kind = VerificationError if check.answer == "differs" else UnavailableError
        raise typer.Exit(kind.exit_code)


async def _verify(
    services: Services, files: list[Path], uri: str, track: str, directions: tuple[str, ...]
) -> tuple[str, LabelCheck]:
    """What was asked about, and the answer."""
    from suyuan.cli.tracing import thing_of
    from suyuan.label.path import TiltPath
    from suyuan.scans.label_model import CHECK_BOUNDS

    try:
        path = msgspec.convert({"directions": directions}, TiltPath)
    except msgspec.ValidationError:
        raise InputError(
            "cli.label.path",
            "That is no way to tilt.",
            path="--path",
            remedy="Name up, down, left and right.",
        ) from None
    item = _captured(files, CHECK_BOUNDS["B"].images)
    text = thing_of(services, uri) if uri else await read_text(services.checking_images, item.images)
    check = await services.label_checker.examine(
        text, item.images, track=track or ("" if isinstance(item.images, Files) else "B"), path=path
    )
    return text, check


def _captured(files: list[Path], most: int) -> Item:
    """The one capture that the files are."""
    if len(files) == 1:
        found = next(iter(whole_items(files[0], most)), None) if files[0].is_file() else _folder(files[0])
        if isinstance(found, Item):
            return found
        fault = found or no_image(files[0])
        raise InputError(fault.code, fault.reason, path=fault.file, remedy=fault.remedy)
    return Item(files[0], Files(files))


def _folder(folder: Path) -> Item | None:
    from suyuan.cli.label_files import images_in

    found = images_in(folder)
    return Item(folder, Files(found)) if found else None


def _check_lines(uri: str, check: LabelCheck) -> list[str]:
    from suyuan.scans import advice_of, label_words_of
    from suyuan.scans.label_wording import MEANING_EN, MEANING_ZH

    words = label_words_of(check)
    lines = [
        say(words.title_en, words.title_zh),
        uri,
        say(words.text_en, words.text_zh),
        *(say(f"- {one.text_en}", f"- {one.text_zh}") for one in advice_of(check.reasons)),
    ]
    if check.threshold or check.score:  # else nothing was compared
        lines.append(
            say(
                f"score {check.score:.3f}, threshold {check.threshold:.3f}, track {check.track}",
                f"得分 {check.score:.3f}，阈值 {check.threshold:.3f}，方式 {check.track}",
            )
        )
    if check.quality:
        lines.append("  ".join(f"{name} {value:.3g}" for name, value in sorted(check.quality.items())))
    return [*lines, say(MEANING_EN, MEANING_ZH)]
