"""The demo's labels checked by image: enrolled and verified through the doors that customers and buyers use.

A bag has a label that changes with the angle, and a hang tag with a pattern. What cameras see of them is simulated, in
processes of their own; everything else is a client's work: the tag's own file is fetched as a press would fetch it,
frames are sent to be enrolled, and captures are sent to be checked, each with the nonce that was asked for. What the
summary says of a capture is what the door answered.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import httpx
import msgspec
from rich.markup import escape

from suyuan.cli.context import problem_of, say
from suyuan.errors import SuyuanError, UnavailableError
from suyuan.printing import PRESS_DPI, Style, get_style
from suyuan.printing.symbol import MM_PER_INCH

if TYPE_CHECKING:
    from suyuan.cli.demo_client import Issued
    from suyuan.cli.journey import Journey

_PROCESSES = 1  # the other core is the server's
_SEED = 749  # of all that is drawn by chance: phones, hands, light, paper
_AROUND_MM = 0.5
# What is shown to the camera as the dynamic label, and the simulator's name of it.
_CLIPS: Final[Mapping[str, str]] = {"itself": "genuine", "print": "print", "replay": "replay"}
_SHOWN: Final[Mapping[str, tuple[str, str]]] = {
    "itself": ("this label", "本标签"),
    "office_copy": ("a copy by scanner and office printer", "扫描后用办公打印机复制的标签"),
    "reprint": ("a second print of its file", "用同一文件再次印出的标签"),
    "print": ("a print of a photo of it", "翻拍后打印的标签"),
    "replay": ("a screen that plays a recording of it", "播放其录像的屏幕"),
}
_TRACKS: Final[Mapping[str, tuple[str, str]]] = {
    "A": ("tag", "吊牌"),
    "B": ("dynamic label", "动态标签"),
}
_SENT: Final[Mapping[str, tuple[str, str]]] = {
    "A": ("a photo of", "照片，"),
    "B": ("a torch-lit clip of", "开灯短视频，"),
}
_ANSWERS: Final[Mapping[str, tuple[str, str]]] = {
    "matches": ("[green]matches the enrolment[/]", "[green]与登记记录相符[/]"),
    "differs": ("[red]does not match[/]", "[red]与登记记录不符[/]"),
    "unclear": ("[yellow]could not tell[/]", "[yellow]无法判断[/]"),
}


class LabelCapture(msgspec.Struct, frozen=True, kw_only=True):
    """A capture that was checked: of which label, what the camera saw, and what the door answered."""

    track: str
    shown: str
    answer: str
    score: float
    threshold: float
    reasons: tuple[str, ...] = ()
    advice_en: tuple[str, ...] = ()
    advice_zh: tuple[str, ...] = ()


class LabelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the labels of the followed item. All captures are simulated.

    ``missing`` says what is not installed where nothing was checked, ``refused`` what a door did not do; ``meaning``
    is what the door says of its answers, ``seconds`` how long the checks took.
    """

    simulated: bool = True
    missing: str = ""
    refused: dict[str, str] | None = None
    enrolled: dict[str, int] = {}
    captures: tuple[LabelCapture, ...] = ()
    meaning_en: str = ""
    meaning_zh: str = ""
    seconds: float = 0.0


class Door(Protocol):
    """What is needed of the demo: its client, tokens, and how an answer is read."""

    client: httpx.Client

    def token(self, party: str, *scopes: str) -> str: ...

    def read(self, answer: httpx.Response) -> Any: ...


class _Prepared(NamedTuple):
    """What was enrolled, by track; photos of tags, and clips with their challenges, by what they show."""

    frames: dict[str, int]
    photos: dict[str, bytes]
    clips: dict[str, tuple[dict[str, Any], list[bytes]]]


class LabelWork:
    """The labels of one item, enrolled and filmed in the background while the papers of journeys are delivered."""

    def __init__(self, door: Door, journey: Journey, issued: Issued, item: str) -> None:
        """``item`` is the address that is asked for."""
        token = door.token(issued.issuer, "codes.issue", "labels.enrol")
        self._door = door
        self._style = get_style(journey.tag_style)
        self._enrolled = journey.labels_enrolled
        self._headers = {"Authorization": f"Bearer {token}"}
        self._batch_id = issued.batch_id
        self._item = item
        self._code_text = issued.code_text

    @contextlib.contextmanager
    def begun(self) -> Iterator[LabelWork]:
        """For the length of a block, with the processes that draw; the work goes on behind whatever is done in it."""
        from suyuan.cli import demo_captures

        spawn = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(_PROCESSES, spawn, demo_captures.stand_back) as drawing,
            ThreadPoolExecutor(1) as background,
        ):
            self._drawing = drawing
            self._prepared = background.submit(self._prepare)
            yield self

    def _prepare(self) -> _Prepared:
        """Enrol both labels, and have drawn what will be checked: clips follow the path that the server asks for."""
        from suyuan.cli import demo_captures

        box = _seen_box(self._style, PRESS_DPI)
        drawn_tag = self._drawing.submit(
            demo_captures.tag_captures, self._press_file(), box, PRESS_DPI, _SEED
        )
        frames = self._drawing.submit(demo_captures.dynamic_frames, self._code_text, _SEED)
        tag = drawn_tag.result()
        self._enrol("A", tag.enrolment, style=self._style.name, dpi=str(PRESS_DPI))
        self._enrol("B", frames.result())
        clips = {}
        for shown, attack in _CLIPS.items():
            asked = self._challenge()
            drawn = self._drawing.submit(
                demo_captures.dynamic_clip, self._code_text, attack, asked["path"], _SEED
            )
            clips[shown] = (asked, drawn)
        return _Prepared(
            frames={"A": len(tag.enrolment), "B": len(frames.result())},
            photos={"itself": tag.itself, "office_copy": tag.office_copy, "reprint": tag.reprint},
            clips={shown: (asked, drawn.result()) for shown, (asked, drawn) in clips.items()},
        )

    def _press_file(self) -> bytes:
        """The image of the item's tag, as the press gets it."""
        answer = self._door.client.get(
            f"/api/v1/codes/batches/{self._batch_id}",
            params={"format": "png", "style": self._style.name},
            headers=self._headers,
        )
        if answer.is_error:
            self._door.read(answer)
        serial = self._item.rpartition("/")[2]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            [name] = [name for name in packed.namelist() if name.endswith(f"-{serial}.png")]
            return packed.read(name)

    def _enrol(self, track: str, images: Sequence[bytes], **fields: str) -> None:
        answer = self._door.client.post(
            "/api/v1/labels/enrolments",
            data={"uri": self._code_text, "track": track, "event_time": self._enrolled, **fields},
            files=_parts(images),
            headers=self._headers,
        )
        self._door.read(answer)

    def report(self) -> LabelReport:
        """Check the captures and say what came of it. What a door does not do is told, and the demo goes on."""
        try:
            prepared = self._prepared.result()
            started = time.monotonic()
            answers = [
                ("A", shown, self._check(self._challenge(), "A", [photo]))
                for shown, photo in prepared.photos.items()
            ]
            answers += [
                ("B", shown, self._check(asked, "B", clip)) for shown, (asked, clip) in prepared.clips.items()
            ]
        except SuyuanError as refusal:
            return LabelReport(refused=problem_of(refusal))
        except httpx.TransportError as fault:
            # A machine under load may take longer over pictures than the client waits.
            silence = UnavailableError("demo.label", f"The server did not answer: {fault}.", path="labels")
            return LabelReport(refused=problem_of(silence))
        return LabelReport(
            enrolled=prepared.frames,
            captures=tuple(_capture(track, shown, answer) for track, shown, answer in answers),
            meaning_en=answers[0][2]["meaning_en"],
            meaning_zh=answers[0][2]["meaning_zh"],
            seconds=time.monotonic() - started,
        )

    def _challenge(self) -> dict[str, Any]:
        answer = self._door.client.post("/api/v1/labels/challenges", json={"uri": self._item})
        found: dict[str, Any] = self._door.read(answer)
        return found

    def _check(self, challenge: dict[str, Any], track: str, images: Sequence[bytes]) -> dict[str, Any]:
        answer = self._door.client.post(
            "/api/v1/labels/checks",
            data={"nonce": challenge["nonce"], "track": track},
            files=_parts(images),
        )
        found: dict[str, Any] = self._door.read(answer)
        return found


def _parts(images: Sequence[bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("images", (f"{number}", image)) for number, image in enumerate(images)]


def _seen_box(style: Style, dpi: int) -> tuple[int, int, int, int]:
    """What a camera close to a tag sees of it, in dots: code and pattern with what is white around them."""
    code, pattern = style.symbol, style.pattern
    assert pattern is not None
    right = max(code.x + code.side, pattern.x + pattern.side + _AROUND_MM)
    bottom = max(code.y + code.side, pattern.y + pattern.side)
    edges = (min(code.x, pattern.x), min(code.y, pattern.y), right, bottom)
    left, top, right_dots, bottom_dots = (round(edge * dpi / MM_PER_INCH) for edge in edges)
    return left, top, right_dots, bottom_dots


def _capture(track: str, shown: str, answer: dict[str, Any]) -> LabelCapture:
    return LabelCapture(
        track=track,
        shown=shown,
        answer=answer["answer"],
        score=answer["score"],
        threshold=answer["threshold"],
        reasons=tuple(answer["reasons"]),
        advice_en=tuple(one["text_en"] for one in answer["advice"]),
        advice_zh=tuple(one["text_zh"] for one in answer["advice"]),
    )


def label_lines(report: LabelReport | None) -> Iterator[str]:
    """The labels of an item in a few lines of rich's markup."""
    if report is None:
        return
    if report.missing:
        yield say(
            f"  label: not checked by image here; install {escape(report.missing)}",
            f"  标签：此安装不能核对图像，请安装 {escape(report.missing)}",
        )
        return
    if report.refused is not None:
        words = f"{report.refused['code']}: {report.refused['reason']} {report.refused['remedy']}".strip()
        yield say("  label: [red]not checked[/] ", "  标签：[red]未核对[/] ") + escape(words)
        return
    frames = say(", ", "，").join(
        say(f"{_TRACKS[track][0]} from {count} frames", f"{_TRACKS[track][1]} {count} 帧")
        for track, count in sorted(report.enrolled.items())
    )
    yield say(
        f"  label (simulated captures): enrolled {frames}",
        f"  标签（图像均为模拟）：已登记{frames}",
    )
    for capture in report.captures:
        track, sent, shown = _TRACKS[capture.track], _SENT[capture.track], _SHOWN[capture.shown]
        what = say(f"{track[0]}, {sent[0]} {shown[0]}: ", f"{track[1]}，{sent[1]}{shown[1]}：")
        advice = " ".join(say(*pair) for pair in zip(capture.advice_en, capture.advice_zh, strict=True))
        answer = say(*_ANSWERS[capture.answer])
        yield f"    {escape(what)}{answer}{say('. ', '。') if advice else ''}{escape(advice)}"
    yield "    " + escape(say(report.meaning_en, report.meaning_zh))
