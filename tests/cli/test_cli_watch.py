"""``suyuan watch``: no paper lost, none doubled, through crashes at every step."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Shell

from suyuan.cli.context import MANNER
from suyuan.cli.folder import DONE, REFUSED, TAKING, Folder, Settling, looks_whole
from suyuan.cli.papers import Taken
from suyuan.cli.watching import Pace, Watch
from suyuan.errors import InputError, PermissionDenied, UnavailableError

sys.path.append(str(Path(__file__).resolve().parents[1] / "customs"))

import customs_messages as messages

ONCE = Pace(settle=0.01, interval=0.1, patience=0, once=True)


class Door:
    """A door that remembers by content what came, as the real one does."""

    def __init__(self) -> None:
        self.papers: list[bytes] = []
        self.calls = 0
        self.fault: Callable[[bytes], Exception | None] = lambda data: None

    async def __call__(self, data: bytes, name: str) -> Taken:
        self.calls += 1
        error = self.fault(data)
        if error is not None:
            raise error
        repeated = data in self.papers
        if not repeated:
            self.papers.append(data)
        return Taken(file=name, kind="CEB311", capture_id="c1", repeated=repeated)


def _watch(root: Path, door: Door, pace: Pace = ONCE) -> Watch:
    watching = Watch(Folder(root), door, pace)
    asyncio.run(watching.run())
    return watching


def _files(root: Path, *under: str) -> dict[str, bytes]:
    """Papers under a folder by name, without what stands beside them."""
    base = root.joinpath(*under)
    return {
        str(path.relative_to(base)): path.read_bytes()
        for path in base.rglob("*")
        if path.is_file() and not path.name.endswith((".receipt.json", ".reason.txt", ".reason.json"))
    }


def _xml(number: int) -> bytes:
    return f"<a><b>{number}</b></a>".encode()


def test_what_is_taken_moves_to_done_with_its_receipt(tmp_path: Path) -> None:
    door = Door()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.xml").write_bytes(_xml(1))
    (tmp_path / "two.xml").write_bytes(_xml(2))
    for name in (".hidden.xml", "half.xml.part", "other.tmp"):
        (tmp_path / name).write_bytes(_xml(3))
    watching = _watch(tmp_path, door)
    assert (watching.taken, watching.refused, watching.left) == (2, 0, 0)
    assert _files(tmp_path, DONE) == {"in/one.xml": _xml(1), "two.xml": _xml(2)}
    receipt = json.loads((tmp_path / DONE / "two.xml.receipt.json").read_bytes())
    assert (receipt["capture_id"], receipt["file"]) == ("c1", "two.xml")
    assert not any((tmp_path / TAKING).iterdir())
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        ".hidden.xml",
        "half.xml.part",
        "other.tmp",
    }


def test_a_name_that_comes_again_overwrites_nothing(tmp_path: Path) -> None:
    door = Door()
    for content in (_xml(1), _xml(2), _xml(1)):
        (tmp_path / "x.xml").write_bytes(content)
        _watch(tmp_path, door)
    assert _files(tmp_path, DONE) == {"x.xml": _xml(1), "x~2.xml": _xml(2), "x~3.xml": _xml(1)}
    assert door.papers == [_xml(1), _xml(2)]
    assert json.loads((tmp_path / DONE / "x~3.xml.receipt.json").read_bytes())["repeated"] is True


def test_a_very_long_name_has_room_for_its_receipt(tmp_path: Path) -> None:
    name = "单" * 83 + ".xml"  # 253 bytes
    (tmp_path / name).write_bytes(_xml(1))
    assert _watch(tmp_path, Door()).taken == 1
    assert list(_files(tmp_path, DONE).values()) == [_xml(1)]


def test_what_is_refused_has_its_reason_beside_it(tmp_path: Path) -> None:
    door = Door()
    door.fault = lambda data: InputError(
        "customs.field.missing", "orderNo is mandatory.", remedy="Fill it in."
    )
    data = messages.message("CEB311", {"orderNo": None})
    (tmp_path / "bad.xml").write_bytes(data)
    assert _watch(tmp_path, door).refused == 1
    assert _files(tmp_path, REFUSED) == {"bad.xml": data}
    reason = json.loads((tmp_path / REFUSED / "bad.xml.reason.json").read_bytes())
    assert reason["code"] == "customs.field.missing"
    assert reason["findings"][0]["path"].endswith("/orderNo")
    text = (tmp_path / REFUSED / "bad.xml.reason.txt").read_text("utf-8")
    assert "必填字段 订单编号（orderNo） 为空" in text
    assert "Fill in orderNo" in text


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", False),
        (b"<a><b>1</b>", True),  # an end is there; the reader judges whether it is the right one
        (b"<a><b>1</b", False),
        (b"<a/>\n", True),
        (b'{"a": 1', False),
        (b'\xef\xbb\xbf[{"a": 1}]\r\n', True),
        (b"PK\x03\x04....", False),
        (b"PK\x03\x04....PK\x05\x06" + b"\x00" * 18, True),
        (b"a,b\n1,2", True),
    ],
)
def test_what_looks_whole(content: bytes, whole: bool) -> None:
    assert looks_whole(content, content) is whole


def test_a_file_that_is_cut_off_waits_until_patience_ends(tmp_path: Path) -> None:
    door = Door()
    (tmp_path / "cut.xml").write_bytes(b"<a><b>1</b")
    patient = Pace(settle=0.01, interval=0.1, patience=60, once=True)
    assert _watch(tmp_path, door, patient).left == 1
    assert (tmp_path / "cut.xml").exists()
    assert door.calls == 0
    assert _watch(tmp_path, door).taken == 1


def test_a_file_that_still_changes_is_left_alone() -> None:
    settling, path = Settling(2.0), Path("x")
    assert settling.ready({path: (1, 10, 100)}, 0.0) == []
    assert settling.ready({path: (1, 20, 200)}, 1.9) == []
    assert settling.ready({path: (1, 20, 200)}, 3.8) == []
    assert settling.ready({path: (1, 20, 200)}, 3.95) == [path]
    # Replaced by another file of the same size.
    assert settling.ready({path: (2, 20, 200)}, 9.0) == []


def test_a_writer_that_holds_on_is_waited_for(tmp_path: Path) -> None:
    """Content that grows after the claim goes back, and is taken whole later."""
    path = tmp_path / "x.xml"
    path.write_bytes(_xml(1))
    folder = Folder(tmp_path)
    with path.open("ab") as writer:
        claim = folder.claim(path, patient=True)
        assert claim is not None
        writer.write(b"<!-- more -->")
        writer.flush()
        assert claim.read() is None
        folder.release(claim)
        claim.close()
    door = Door()
    _watch(tmp_path, door)
    assert door.papers == [_xml(1) + b"<!-- more -->"]


def test_only_plain_readable_files_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MANNER, "as_json", False)
    secret = tmp_path.parent / f"{tmp_path.name}-secret"
    secret.write_bytes(_xml(9))
    (tmp_path / "link.xml").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.xml")
    door = Door()
    _watch(tmp_path, door)
    assert door.calls == 0
    assert secret.exists()
    said = capsys.readouterr().err
    assert "link.xml" in said
    assert "pipe.xml" in said


def test_what_cannot_be_read_stays_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.xml").write_bytes(_xml(1))
    door, real = Door(), os.open

    def denied(path: Any, *arguments: Any) -> int:
        if str(path).endswith("x.xml"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", denied)
        assert _watch(tmp_path, door).left == 1
    assert _watch(tmp_path, door).taken == 1


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.xml").write_bytes(_xml(1))
    door = Door()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("suyuan.cli.folder._write", full)
        assert _watch(tmp_path, door).left == 1
    assert _watch(tmp_path, door).taken == 1
    assert _files(tmp_path, DONE) == {"x.xml": _xml(1)}
    assert (tmp_path / DONE / "x.xml.receipt.json").exists()
    assert door.papers == [_xml(1)]


def test_a_shut_door_keeps_the_papers(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(_xml(1))
    door = Door()
    for error in (UnavailableError("cli.server.unreachable", "No answer."), ConnectionResetError()):
        door.fault = lambda data, error=error: error
        assert _watch(tmp_path, door).left == 1
        assert (tmp_path / "x.xml").exists()
    door.fault = lambda data: PermissionDenied("access.scope.missing", "No.")
    with pytest.raises(PermissionDenied):
        _watch(tmp_path, door)
    assert (tmp_path / "x.xml").exists()
    door.fault = lambda data: None
    assert _watch(tmp_path, door).taken == 1


class _Crash(BaseException):
    """The process is gone: nothing catches this."""


def test_a_crash_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that changes the file system is the last one once, before and after it happened."""
    changing = [
        (os, "link"),
        (os, "fsync"),
        (Path, "rename"),
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "mkdir"),
    ]

    def run(root: Path, door: Door, last: int, after: bool) -> int:
        count = 0
        with monkeypatch.context() as patch:
            for owner, name in changing:
                real = getattr(owner, name)

                def dying(*arguments: Any, real: Any = real, **more: Any) -> Any:
                    nonlocal count
                    count += 1
                    if count == last and not after:
                        raise _Crash
                    result = real(*arguments, **more)
                    if count >= last:
                        raise _Crash
                    return result

                patch.setattr(owner, name, dying)
            try:
                _watch(root, door)
            except BaseException as error:
                if not isinstance(error, _Crash):
                    raise
        return count

    step, finished = 1, False
    while not finished:
        for after in (False, True):
            root = tmp_path / f"{step}-{after}"
            root.mkdir()
            Folder(root)
            door = Door()
            (root / "x.xml").write_bytes(_xml(1))
            count = run(root, door, step, after)
            finished = count < step
            everywhere = [*_files(root, DONE).values(), *_files(root, TAKING).values()]
            everywhere += [path.read_bytes() for path in root.glob("*.xml")]
            assert _xml(1) in everywhere, (step, after)
            _watch(root, door)
            assert _files(root, DONE) == {"x.xml": _xml(1)}, (step, after)
            assert (root / DONE / "x.xml.receipt.json").exists()
            assert not list(root.glob("*.xml"))
            assert not _files(root, TAKING)
            assert door.papers == [_xml(1)]
        step += 1
    assert step > 6


def test_several_watchers_share_one_folder(tmp_path: Path) -> None:
    door = Door()
    for number in range(40):
        (tmp_path / f"{number}.xml").write_bytes(_xml(number))

    async def all_at_once() -> list[Watch]:
        watches = [Watch(Folder(tmp_path), door, ONCE) for _ in range(3)]
        await asyncio.gather(*(one.run() for one in watches))
        return watches

    watches = asyncio.run(all_at_once())
    assert sum(one.taken for one in watches) == 40
    assert door.calls == 40
    assert len(_files(tmp_path, DONE)) == 40


def test_what_another_process_holds_is_its_own(tmp_path: Path) -> None:
    """A claim of a living process is left alone; of a dead one it is taken up."""
    taken = tmp_path / TAKING / "0011" / "x.xml"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(_xml(1))
    door = Door()
    with taken.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert _watch(tmp_path, door).taken == 0
    assert _watch(tmp_path, door).taken == 1
    assert _files(tmp_path, DONE) == {"x.xml": _xml(1)}


def test_killed_again_and_again_into_a_real_deployment(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good(
        "party", "add", "broker", "--name-en", "Broker", "--name-zh", "报关行", "--role", "customs-broker"
    )
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(30):
        change: dict[str, str | None] = {"orderNo": f"PX20260305101500{number:06d}"}
        (inbox / f"{number:02d}.xml").write_bytes(messages.message("CEB311", change))
    (inbox / "bad.xml").write_bytes(messages.message("CEB311", {"orderNo": None}))
    command = [sys.executable, "-m", "suyuan", "watch", str(inbox), "--party", "broker", "--settle", "0"]
    for _ in range(3):
        with subprocess.Popen(command, env=suyuan.environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(4):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    said = suyuan.apart("watch", inbox, "--party", "broker", "--once", "--settle", "0.05", "--json")
    assert said.code == 2, said  # one paper was refused
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[-1]["event"] == "ended"
    assert events[-1]["left"] == 0
    assert len(_files(inbox, DONE)) == 30
    assert set(_files(inbox, REFUSED)) == {"bad.xml"}
    kept = suyuan.good("fsck", "--quick", "--json").json
    assert kept["events"] == 30


def test_a_watch_ends_when_told_and_sees_what_comes(suyuan: Shell, tmp_path: Path) -> None:
    suyuan.good(
        "party", "add", "broker", "--name-en", "Broker", "--name-zh", "报关行", "--role", "customs-broker"
    )
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    command = [sys.executable, "-m", "suyuan", "--lang", "zh", "watch", str(inbox), "--party", "broker"]
    command += ["--settle", "0.05", "--interval", "30"]
    with subprocess.Popen(command, env=suyuan.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not (inbox / DONE).exists():
            time.sleep(0.02)
        time.sleep(0.5)
        (inbox / "late.xml").write_bytes(messages.message("CEB311"))
        assert process.stdout.readline().startswith("已收")
        process.send_signal(signal.SIGTERM)
        assert "已收 1 份" in process.stdout.read()
    assert process.returncode == 0
