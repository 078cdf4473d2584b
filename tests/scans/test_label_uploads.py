"""Forms with images: read as they come, held in a file, bounded in every way."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from suyuan.errors import SuyuanError
from suyuan.scans import label_uploads
from suyuan.scans.label_model import CHECK_BOUNDS, MIB, Bounds
from suyuan.scans.label_uploads import Upload, received_upload

KIND = "multipart/form-data; boundary=edge"


def _part(name: str, data: bytes, file: bool = True) -> bytes:
    named = f'; filename="{name}.jpg"' if file else ""
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + data + b"\r\n"


async def _stream(*parts: bytes, step: int = 64 * 1024, end: bytes = b"--edge--\r\n") -> AsyncIterator[bytes]:
    for part in (*parts, end):
        for start in range(0, len(part), step):
            yield part[start : start + step]


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
async def test_fields_and_images_in_whatever_pieces(step: int) -> None:
    images = [b"one\r\n--edg", b"", bytes(range(256)) * 3]
    parts = [_part("nonce", b" abc ", file=False), *(_part("images", image) for image in images)]
    async with received_upload(_stream(*parts, step=step), KIND) as upload:
        assert upload.field("nonce") == "abc"
        assert list(upload.images) == images
        assert list(upload.images[1:]) == images[1:]
        with pytest.raises(SuyuanError) as refusal:
            upload.field("track")
    assert (refusal.value.code, refusal.value.path) == ("label.upload.field", "track")


@pytest.mark.parametrize(
    "end", [b"--edge--\r\n", b"--edge--", b"--edge--\r\n\r\n", b"--edge--\r\nwhat some proxies append"]
)
async def test_a_form_may_be_cut_anywhere_and_end_as_forms_do(end: bytes) -> None:
    body = _part("nonce", b"abc", file=False) + _part("images", b"\r\n--edg\r\n--") + end
    for cut in range(1, len(body)):
        async with received_upload(_stream(body[:cut], body[cut:], end=b""), KIND) as upload:
            assert (upload.fields, list(upload.images)) == ({"nonce": "abc"}, [b"\r\n--edg\r\n--"])
    async with received_upload(_stream(body, step=1, end=b""), KIND) as upload:
        assert (upload.fields, len(upload.images)) == ({"nonce": "abc"}, 1)


async def test_a_form_that_breaks_off_is_none() -> None:
    body = _part("nonce", b"abc", file=False) + _part("images", b"1") + b"--edge--"
    for end in range(len(body)):
        with pytest.raises(SuyuanError) as refusal:
            async with received_upload(_stream(body[:end], end=b""), KIND):
                pytest.fail("it was taken")
        assert refusal.value.code == "label.upload.form"


async def test_memory_does_not_grow_with_what_is_sent() -> None:
    bounds = CHECK_BOUNDS["B"]
    image = b"x" * bounds.image_bytes
    part = _part("images", image)
    tracemalloc.start()
    try:
        async with received_upload(_stream(*[part] * bounds.images), KIND) as upload:
            _, peak = tracemalloc.get_traced_memory()
            assert len(upload.images) == bounds.images
            assert upload.images[39] == image
        assert bounds.total_bytes == 60 * MIB
        assert peak < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("parts", "kind", "code"),
    [
        ([], "application/json", "label.upload.type"),
        ([], "multipart/form-data", "label.upload.type"),
        ([], "multipart/mixed; boundary=edge", "label.upload.type"),
        ([b"--edge\r\nNo-Disposition: x\r\n\r\nx\r\n"], KIND, "label.upload.form"),
        ([b"rubbish--edge\r\n"], KIND, "label.upload.form"),
        ([_part("nonce", b"x" * 5000, file=False)], KIND, "label.upload.form"),
        ([_part(f"f{n}", b"x", file=False) for n in range(21)], KIND, "label.upload.form"),
        ([_part("images", b"x" * 8193)], KIND, "label.upload.too_large"),
        ([_part("images", b"x")] * 4, KIND, "label.upload.too_large"),
        ([_part("images", b"x" * 6000)] * 3, KIND, "label.upload.too_large"),
        ([b"--edge\r\nX: " + b"x" * 9000], KIND, "label.upload.too_large"),
    ],
)
async def test_what_is_refused(parts: list[bytes], kind: str, code: str) -> None:
    bounds = Bounds(3, 8192)
    with pytest.raises(SuyuanError) as refusal:
        async with received_upload(_stream(*parts), kind, bounds=bounds, total_bytes=16384):
            pytest.fail("it was taken")
    assert refusal.value.code == code
    assert not any(label_uploads._under_way.values())


async def test_an_endless_form_is_left_off_early() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"--edge\r\n" + b'Content-Disposition: form-data; name="x"\r\n\r\n'
        while True:
            sent += 1 << 16
            yield b"--edg" * 13107

    with pytest.raises(SuyuanError):
        async with received_upload(endless(), KIND):
            pytest.fail("it was taken")
    assert sent <= 1 << 17


async def test_a_form_that_never_ends_gives_its_place_back() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"--edge\r\n"
        await asyncio.sleep(30)

    with pytest.raises(SuyuanError) as refusal:
        async with received_upload(slow(), KIND, seconds=0.05):
            pytest.fail("it was taken")
    assert (refusal.value.code, refusal.value.http_status) == ("label.upload.slow", 408)
    assert not any(label_uploads._under_way.values())


async def test_so_many_forms_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_uploads, "MAX_UPLOADS", 3)
    monkeypatch.setattr(label_uploads, "MAX_UPLOADS_FROM_ONE", 2)

    def form(place: str) -> AbstractAsyncContextManager[Upload]:
        return received_upload(_stream(_part("images", b"x")), KIND, place=place)

    async with form("a"), form("a"):
        with pytest.raises(SuyuanError) as refusal:
            async with form("a"):
                pytest.fail("it was taken")
        assert refusal.value.code == "label.upload.busy"
        async with form("b"):
            with pytest.raises(SuyuanError):
                async with form("c"):
                    pytest.fail("it was taken")
            # Strangers' checks leave who enrols labels the places of enrolments.
            async with received_upload(
                _stream(_part("images", b"x")), KIND, place="a", purpose="enrolment"
            ) as enrolment:
                assert list(enrolment.images) == [b"x"]
    async with received_upload(_stream(_part("images", b"x")), KIND) as upload:
        assert list(upload.images) == [b"x"]
