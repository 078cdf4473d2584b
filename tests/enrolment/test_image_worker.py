"""The process that looks at pictures, as it is: what strangers may send, and what it costs the server to be ready."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from suyuan.enrolment.image_tasks import ReadCode
from suyuan.enrolment.image_worker import ImageWorker
from suyuan.errors import InputError, SuyuanError, TooLargeError

linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux tells this of a process")
pytest.importorskip("cv2", reason="the extra label is not installed")


@pytest.fixture
async def worker() -> AsyncIterator[ImageWorker]:
    made = ImageWorker()
    yield made
    await made.close()


def _png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that announces so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * min(height, 1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_what_strangers_send_has_its_answer_and_leaves_the_process_alive(worker: ImageWorker) -> None:
    wall = _png(320, 240)
    assert (await worker.run(ReadCode(), [wall])).texts == ("",)
    alive = worker.process_id
    for image, kind, code in (
        (b"", InputError, "label.image.form"),
        (b"<html>no image</html>", InputError, "label.image.form"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(5000), InputError, "label.image.form"),
        (b"GIF89a" + bytes(100), InputError, "label.image.form"),
        (wall[:-30], InputError, "label.image.form"),
        (_png(20_000, 10_000), TooLargeError, "label.image.too_large"),
    ):
        with pytest.raises(SuyuanError) as refusal:
            await worker.run(ReadCode(), [image])
        assert isinstance(refusal.value, kind), image[:20]
        assert refusal.value.code == code
        assert refusal.value.remedy
    assert worker.process_id == alive


@linux
async def test_the_process_knows_nothing_of_the_deployment(
    worker: ImageWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUYUAN_DATABASE_URL", "postgresql://secret@example.invalid/x")
    monkeypatch.setenv("PGPASSWORD", "secret")
    await worker.run(ReadCode(), [_png(64, 64)])
    known = _of(worker, "environ")
    assert "secret" not in known
    assert "OMP_NUM_THREADS=1" in known
    assert f"Max address space         {2 << 30}" in _of(worker, "limits")
    assert "Max file size             0" in _of(worker, "limits")


def _of(worker: ImageWorker, name: str) -> str:
    """What the system knows of the process."""
    return Path(f"/proc/{worker.process_id}/{name}").read_text("utf-8")


def test_a_server_that_checks_nothing_carries_no_imaging_library() -> None:
    asked = "import sys, suyuan.asgi; print([m for m in ('numpy', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
