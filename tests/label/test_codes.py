"""Where a code lies is known to a tenth of a pixel, or it is said that it is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="the extra `label` is not installed")
cv2 = pytest.importorskip("cv2", reason="the extra `label` is not installed")

from drawn_codes import TEXT, Drawn, draw  # noqa: E402

from suyuan.label.codes import Located, locate, locate_roughly, project, same_uri  # noqa: E402

OTHER = "HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/0ABCDEFGHJKMNP000002"


def errors(found: Located, drawn: Drawn) -> np.ndarray:
    """How far, in pixels, points all over the code lie from where they were drawn."""
    line = np.linspace(0, drawn.size, 9)
    points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return np.linalg.norm(project(found.homography, points) - project(drawn.homography, points), axis=1)


def located(drawn: Drawn) -> Located:
    found = locate(drawn.image, drawn.text)
    assert found is not None
    assert found.text == drawn.text
    assert found.size == drawn.size
    return found


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    scale=st.floats(3, 7),
    turn=st.floats(-np.pi, np.pi),
    tilt=st.tuples(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12)),
    offset=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    ink=st.sampled_from([0, 0.1]),
    inverted=st.booleans(),
)
@example(scale=3, turn=0.0, tilt=(0.0, 0.0), offset=(0.5, 0.5), ink=0.0, inverted=False)
def test_a_clean_code_is_placed_to_a_tenth_of_a_pixel(
    scale: float,
    turn: float,
    tilt: tuple[float, float],
    offset: tuple[float, float],
    ink: float,
    inverted: bool,
) -> None:
    drawn = draw(scale=scale, turn=turn, tilt=tilt, offset=offset, ink=ink, inverted=inverted)
    found = located(drawn)
    assert errors(found, drawn).max() < 0.1
    assert found.rms < 0.1
    assert (found.modules == drawn.dark).all()
    assert found.inverted == inverted
    assert found.pixels_per_module == pytest.approx(scale, rel=0.08)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(turn=st.floats(-np.pi, np.pi), seed=st.integers(0, 1000), scale=st.floats(3, 6))
def test_blur_and_noise_cost_a_few_hundredths(turn: float, seed: int, scale: float) -> None:
    drawn = draw(scale=scale, turn=turn, blur=0.32 * scale, noise=6, seed=seed, dark=60, light=180)
    found = located(drawn)
    assert np.sqrt((errors(found, drawn) ** 2).mean()) < 0.12
    assert (found.modules != drawn.dark).mean() < 0.02


def test_many_pixels_a_module_are_no_worse() -> None:
    drawn = draw(scale=17, turn=0.4, tilt=(0.05, -0.04), blur=1.5)
    assert errors(located(drawn), drawn).max() < 0.1


def test_refining_is_what_makes_it_accurate() -> None:
    """The decoder's corners alone are whole pixels, and off by more than a print's grain allows."""
    drawn = draw(scale=3.3, turn=0.3, tilt=(0.06, 0.03))
    rough = locate_roughly(drawn.image, drawn.text)
    assert rough is not None
    assert errors(rough, drawn).max() > 5 * errors(located(drawn), drawn).max()
    assert rough.rms == rough.pixels_per_module
    assert locate_roughly(np.full((64, 64), 200, np.uint8)) is None


def test_a_bent_label_shows_in_the_rms() -> None:
    drawn = draw(scale=6)
    height, width = drawn.image.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bent = cv2.remap(drawn.image, x + 1.5 * np.sin(y / 25).astype(np.float32), y, cv2.INTER_CUBIC)
    found = locate(bent, TEXT)
    assert found is not None
    assert found.rms > 0.5 > 5 * located(drawn).rms


def test_glare_over_a_part_moves_nothing() -> None:
    drawn = draw(scale=5)
    x, y = project(drawn.homography, np.array([24.0, 24.0]))
    lit = drawn.image.copy()
    cv2.circle(lit, (round(x), round(y)), 14, 255, -1)
    found = locate(lit, TEXT)
    assert found is not None
    assert errors(found, drawn).max() < 0.15


def test_the_expected_code_is_found_beside_a_larger_one() -> None:
    large, small = draw(text=OTHER, scale=6).image, draw(scale=4)
    canvas = np.full((large.shape[0], large.shape[1] + small.image.shape[1], 3), 225, np.uint8)
    canvas[:, : large.shape[1]] = large[..., None]
    canvas[: small.image.shape[0], large.shape[1] :] = small.image[..., None]
    found = locate(canvas, TEXT.replace("HTTPS://ID.EXAMPLE.CN", "https://id.example.cn"))
    assert found is not None
    assert found.text == TEXT
    shifted = np.array([(1, 0, large.shape[1]), (0, 1, 0), (0, 0, 1)]) @ small.homography
    assert errors(found, Drawn(canvas, shifted, small.dark, TEXT)).max() < 0.1
    for expected in (None, "HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/ANOTHER"):
        largest = locate(canvas, expected)
        assert largest is not None
        assert largest.text == OTHER


@pytest.mark.parametrize(
    "how",
    [
        {"scale": 1.6, "turn": 0.1, "noise": 4},
        {"scale": 1.8, "turn": np.pi / 4, "noise": 4},
        {"scale": 3, "turn": 0.2, "noise": 40},
        {"scale": 3, "turn": np.pi / 4, "noise": 40},
        {"scale": 3, "turn": np.pi / 4, "blur": 1.5},
    ],
    ids=str,
)
def test_codes_that_are_hard_to_find_are_found_and_placed(how: dict[str, float]) -> None:
    drawn = draw(**how)  # type: ignore[arg-type]
    assert errors(located(drawn), drawn).max() < 0.5


@pytest.mark.parametrize("kind", ["wall", "noise", "black"])
def test_no_code_is_no_code(kind: str) -> None:
    rng = np.random.default_rng(4)
    image = np.full((300, 400, 3), 0 if kind == "black" else 200, np.uint8)
    if kind != "black":
        image = np.clip(image + rng.normal(0, 60 if kind == "noise" else 3, image.shape), 0, 255).astype(
            np.uint8
        )
    assert locate(image) is None


@pytest.mark.parametrize("kind", ["MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "Code128"])
def test_other_kinds_of_codes_are_passed_over(kind: str) -> None:
    """Anybody may hold anything in front of the camera; beside it the label's own code is still found."""
    import zxingcpp

    barcode = zxingcpp.create_barcode("ABC123", getattr(zxingcpp.BarcodeFormat, kind))
    other = np.pad(np.array(barcode.to_image(scale=5)), 30, constant_values=255)
    assert locate(other) is None
    drawn = draw(scale=4)
    canvas = np.full(
        (max(other.shape[0], len(drawn.image)), other.shape[1] + len(drawn.image)), 225, np.uint8
    )
    canvas[: other.shape[0], : other.shape[1]] = other
    canvas[: len(drawn.image), other.shape[1] :] = drawn.image
    found = locate(canvas)
    assert found is not None
    assert found.text == TEXT


@pytest.mark.parametrize("far", [False, True])
def test_a_code_that_cannot_be_measured_says_so(far: bool) -> None:
    """Nothing to match, or another place than the one that was found: the rms is a module, not a small number."""
    from suyuan.label.grid import refine

    drawn = draw(scale=4)
    rough = np.array([(1, 0, 7), (0, 1, 6), (0, 0, 1)]) @ drawn.homography
    image = drawn.image if far else np.full_like(drawn.image, 200)
    refined = refine(image, rough, drawn.size)
    assert refined.rms >= 0.15 * 4 if far else refined.rms == pytest.approx(4)
    if not far:
        assert (refined.homography == rough).all()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("HTTPS://ID.EXAMPLE.CN/01/0950", "https://id.example.cn/01/0950", True),
        ("https://id.example.cn/01/0950/21/a", "https://id.example.cn/01/0950/21/A", False),
        ("https://id.example.cn", "HTTPS://ID.EXAMPLE.CN", True),
        ("not an address", "NOT AN ADDRESS", False),
        ("https://id.example.cn/01/0950", "http://id.example.cn/01/0950", False),
    ],
)
def test_case_matters_after_the_host_only(one: str, other: str, same: bool) -> None:
    assert same_uri(one, other) is same


def test_it_is_quick_on_a_photo_of_two_megapixels() -> None:
    drawn = draw(scale=6, turn=0.2)
    photo = np.full((1080, 1920), 225, np.uint8)
    height, width = drawn.image.shape
    photo[200 : 200 + height, 600 : 600 + width] = drawn.image
    assert locate(photo, TEXT) is not None
    taken = []
    for _ in range(5):
        begun = time.process_time()
        locate(photo, TEXT)
        taken.append(time.process_time() - begun)
    # 8 ms on the machine it was written on; the bound only tells a slip of an order of magnitude.
    assert min(taken) < 0.08
