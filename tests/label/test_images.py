"""What is not a photo, or too much of one, is refused by its header; what is one comes upright."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

np = pytest.importorskip("numpy", reason="the extra `label` is not installed")
cv2 = pytest.importorskip("cv2", reason="the extra `label` is not installed")

from suyuan.errors import InputError, SuyuanError, TooLargeError  # noqa: E402
from suyuan.label.images import MAX_BYTES, decode, read_header, reduce  # noqa: E402

FORMS = ("JPEG", "PNG", "WEBP")
RED = (220, 30, 40)


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Blue, with red in its upper left corner."""
    image = Image.new("RGB", size, (20, 40, 200))
    image.paste(RED, (0, 0, size[0] // 3, size[1] // 3))
    return image.convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that announces what it does not hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def jpeg_announcing(width: int, height: int) -> bytes:
    data = bytearray(saved(picture(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_announcing(width: int, height: int) -> bytes:
    canvas = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def refused(data: bytes, kind: type[SuyuanError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        decode(data)
    assert caught.value.code == ("label.image.too_large" if kind is TooLargeError else "label.image.form")
    assert caught.value.remedy
    return caught.value.reason


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_come_as_blue_green_red(form: str, mode: str) -> None:
    image = decode(saved(picture(mode), form, quality=95))
    assert image.shape == (40, 60, 3)
    assert image.dtype == np.uint8
    corner, rest = image[5, 5].astype(int), image[30, 50].astype(int)
    if mode == "L":
        assert np.ptp(corner) == 0
    else:
        assert np.abs(corner - RED[::-1]).max() < 12
        assert np.abs(rest - (200, 40, 20)).max() < 12


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "LA"])
def test_other_kinds_of_png_are_read(mode: str) -> None:
    assert decode(saved(picture(mode), "PNG")).shape == (40, 60, 3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_says_which_way_is_up(form: str, orientation: int) -> None:
    upright = picture()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(stored, form, quality=95, exif=exif)
    assert read_header(data).orientation == orientation
    image = decode(data)
    assert image.shape == (40, 60, 3)
    assert image[4, 4, 2] > 180 > image[35, 4, 2]
    assert image[4, 55, 2] < 60


def test_damaged_notes_of_the_camera_are_passed_over() -> None:
    data = saved(picture(), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01")
    assert decode(data).shape == (40, 60, 3)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(50), b"%PDF-1.7", b"\x00" * 400, "一张照片".encode()]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP"])
def test_forms_that_no_phone_sends_are_refused(form: str) -> None:
    refused(saved(picture(), form))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_off_is_refused(form: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8))
    data = saved(noise, form)
    refused(data[: int(len(data) * kept)])


def test_a_thumbnail_is_not_the_end_of_its_picture() -> None:
    """The notes of a camera hold a whole small JPEG: its end mark must not stand for the picture's."""
    whole = saved(picture(size=(400, 300)), "JPEG", exif=b"Exif\x00\x00" + saved(picture(), "JPEG"))
    assert decode(whole).shape == (300, 400, 3)
    refused(whole[:-400])


def test_what_a_camera_appends_is_passed_over() -> None:
    assert decode(saved(picture(), "JPEG") + b"trailer of a camera" * 30).shape == (40, 60, 3)
    assert decode(saved(picture(), "JPEG", progressive=True)).shape == (40, 60, 3)


def test_several_pictures_of_one_shot_are_its_first() -> None:
    """Some cameras add a depth map or a gain map as a second picture."""
    data = saved(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (30, 20))])
    assert decode(data).shape == (40, 60, 3)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_animations_are_refused(form: str) -> None:
    frames = [picture(), Image.new("RGB", (60, 40), RED)]
    reason = refused(saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100))
    assert "animation" in reason


def test_colours_of_a_press_are_refused() -> None:
    assert "CMYK" in refused(saved(picture("CMYK"), "JPEG"))


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_refused(channels: int) -> None:
    deep = np.full((40, 60, channels), 30_000, np.uint16)
    assert "16 bits" in refused(cv2.imencode(".png", deep)[1].tobytes())


@pytest.mark.parametrize(
    "data",
    [
        png_header(20_000, 10_000),
        png_header(8_000, 6_000),
        png_header(65_000, 65_000, depth=1, colour=0),
        png_header(2_000_000_000, 2_000_000_000),
        jpeg_announcing(20_000, 10_000),
        jpeg_announcing(65_000, 65_000),
        webp_announcing(16_000, 16_000),
    ],
)
def test_a_bomb_is_refused_before_a_pixel_is_decoded(data: bytes) -> None:
    tracemalloc.start()
    try:
        assert " x " in refused(data, TooLargeError) or "any camera" in refused(data, TooLargeError)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_too_many_bytes_are_refused_unread() -> None:
    assert "bytes" in refused(b"\xff\xd8\xff" + bytes(MAX_BYTES), TooLargeError)


def test_too_few_pixels_are_refused() -> None:
    refused(saved(picture(size=(60, 12)), "PNG"))


def test_a_header_that_promises_more_rows_than_there_are() -> None:
    refused(png_header(400, 300))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(form=st.sampled_from(FORMS), data=st.data())
def test_damage_ends_in_an_image_or_a_refusal(form: str, data: st.DataObject) -> None:
    image = bytearray(saved(picture(), form))
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode(bytes(image))
    except (InputError, TooLargeError) as error:
        assert error.code.startswith("label.image.")
    else:
        assert found.ndim == 3


def test_reducing_keeps_the_shape_and_the_mean() -> None:
    image = np.random.default_rng(0).integers(0, 255, (300, 500, 3), np.uint8)
    small = reduce(image, 100)
    assert small.shape == (60, 100, 3)
    assert small.mean() == pytest.approx(image.mean(), abs=0.6)
    assert reduce(image, 500) is image
    assert reduce(image[..., 0], 50).shape == (30, 50)
