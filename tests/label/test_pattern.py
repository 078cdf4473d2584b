"""A printed pattern against its own record: what matches, what differs, what cannot be told, and what is refused."""

from __future__ import annotations

import time

import pytest

np = pytest.importorskip("numpy", reason="the extra `label` is not installed")
cv2 = pytest.importorskip("cv2", reason="the extra `label` is not installed")

from numpy.typing import NDArray  # noqa: E402

from suyuan.errors import InputError, SuyuanError, TooLargeError  # noqa: E402
from suyuan.label.codes import locate, project  # noqa: E402
from suyuan.label.model import Placement, Verdict, near_duplicate  # noqa: E402
from suyuan.label.pattern import LEAST_PIXELS, enrol_pattern, verify_pattern  # noqa: E402
from suyuan.label.pattern_residual import Parted  # noqa: E402
from suyuan.label.pattern_score import damaged_symbols  # noqa: E402
from suyuan.label.simulation.pattern_trials import (  # noqa: E402
    ATTACKS,
    SimulatedLabel,
    capture,
    enrolment_images,
    make_label,
    template_of,
)
from suyuan.label.simulation.print_damage import Damage  # noqa: E402

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def label() -> SimulatedLabel:
    return make_label(41, "test")


@pytest.fixture(scope="module")
def photo(label: SimulatedLabel) -> bytes:
    return _capture(label, "genuine", 1)


def test_a_photo_of_the_enrolled_label_matches(label: SimulatedLabel, photo: bytes) -> None:
    verdict = _check(label, photo)
    assert verdict.answer == "matches" and verdict.score > verdict.threshold + 0.05
    assert verdict.quality["pixels_per_symbol"] > LEAST_PIXELS and verdict.quality["agreement"] > 0.8


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack != "grey_reprint"])
def test_copies_and_another_label_differ(label: SimulatedLabel, attack: str) -> None:
    verdict = _check(label, _capture(label, attack, 2))
    assert verdict.answer == "differs" and verdict.score < verdict.threshold - 0.1, verdict


def test_a_grey_reprint_at_twice_the_resolution_stays_below_the_label_itself(
    label: SimulatedLabel, photo: bytes
) -> None:
    """What is known of this attack is a lower score, not always a low one."""
    assert _check(label, _capture(label, "grey_reprint", 3)).score < _check(label, photo).score - 0.05


def test_a_leaked_template_shares_nothing_but_the_template(label: SimulatedLabel) -> None:
    """Everything that the template explains is taken out: its second print correlates as little as any other's."""
    verdict = _check(label, _capture(label, "leaked_template", 4))
    assert abs(verdict.score) < 0.2 and verdict.quality["agreement"] > 0.8


def test_a_photo_turned_in_its_plane_gets_the_same_score(label: SimulatedLabel, photo: bytes) -> None:
    upright = _check(label, photo)
    for turn in (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE):
        turned = _check(label, _png(np.asarray(cv2.rotate(_pixels(photo), turn), np.uint8)))
        assert turned.answer == "matches" and abs(turned.score - upright.score) < 0.02


@pytest.mark.parametrize("angle", [17.0, 141.0, 250.0])
def test_any_angle_will_do(label: SimulatedLabel, angle: float) -> None:
    assert _check(label, _capture(label, "genuine", 5, turn=angle)).answer == "matches"


def test_tone_colour_and_container_do_not_matter(label: SimulatedLabel, photo: bytes) -> None:
    image = _pixels(photo)
    score = _check(label, photo).score
    tones = np.rint(255 * (np.arange(256) / 255.0) ** 1.6).astype(np.uint8)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    wide = np.asarray(
        cv2.copyMakeBorder(image, 300, 10, 5, 420, cv2.BORDER_CONSTANT, value=(60, 90, 70)), np.uint8
    )
    done, webp = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 95])
    assert done
    changed = {
        "gamma": _png(np.asarray(cv2.LUT(image, tones), np.uint8)),
        "grey": _png(grey),
        "dim": _png((image * 0.55).astype(np.uint8)),
        "negative": _png(255 - grey),
        "margin": _jpeg(wide, 92),
        "webp": webp.tobytes(),
    }
    for name, data in changed.items():
        verdict = _check(label, data)
        assert verdict.answer == "matches" and abs(verdict.score - score) < 0.06, (name, verdict)


def test_too_few_pixels_are_not_judged(label: SimulatedLabel) -> None:
    verdict = _check(label, _capture(label, "genuine", 6, pixel=46.0))
    assert verdict.answer == "unclear" and "too_small" in verdict.reasons


def test_blur_is_told_from_a_difference(label: SimulatedLabel, photo: bytes) -> None:
    verdict = _check(label, _png(np.asarray(cv2.GaussianBlur(_pixels(photo), (0, 0), 2.2), np.uint8)))
    assert verdict.answer == "unclear" and verdict.reasons == ("blurred",)


def test_darkness_is_told_from_a_difference(label: SimulatedLabel, photo: bytes) -> None:
    verdict = _check(label, _png((_pixels(photo) * 0.09).astype(np.uint8)))
    assert verdict.answer == "unclear" and verdict.reasons in (("too_dark",), ("no_code",))


def test_a_covered_pattern_is_no_copy(label: SimulatedLabel) -> None:
    """A thumb on a corner is left out; on half of the pattern, or all of it, it cannot be told."""
    upright = _pixels(_capture(label, "genuine", 7, turn=0.0, tilt=0.0, bend=0.0, glare=0.0))
    found = locate(upright, label.uri)
    assert found is not None
    place = label.placement
    for share, answer in ((0.15, "matches"), (0.5, "unclear"), (1.0, "unclear")):
        covered = upright.copy()
        left = project(found.homography, np.array([place.x + place.side * (1 - share), place.y]))[0]
        covered[:, int(left) :] = (120, 140, 190)
        verdict = _check(label, _png(covered))
        assert verdict.answer == answer, (share, verdict)
        assert answer == "matches" or set(verdict.reasons) & {"registration", "glare"}


def test_a_pattern_cut_off_is_not_judged(label: SimulatedLabel) -> None:
    upright = _pixels(_capture(label, "genuine", 8, turn=0.0, tilt=0.0))
    for verdict in (
        _check(label, _png(upright[:, : int(upright.shape[1] * share)])) for share in (0.72, 0.6)
    ):
        assert verdict.answer == "unclear" and set(verdict.reasons) <= {"registration", "no_code"}


@pytest.mark.parametrize(
    "damage",
    [
        Damage(scratches=1),
        Damage(scratches=3),
        Damage(dust=25),
        Damage(worn=0.01),
        Damage(shadow=0.4, penumbra=0.05),
        Damage(shadow=0.7, penumbra=0.2),
    ],
    ids=["scratch", "scratches", "dust", "wear", "shadow", "deep shadow"],
)
def test_local_damage_and_shadows_are_withstood(label: SimulatedLabel, damage: Damage) -> None:
    for seed in (31, 32):
        assert _check(label, _capture(label, "genuine", seed, damage)).answer == "matches"
        verdict = _check(label, _capture(label, "same_press_copy", seed, damage))
        assert verdict.answer == "differs" and verdict.score < verdict.threshold - 0.1, verdict


@pytest.mark.parametrize("attack", ["leaked_template", "same_press_copy"])
@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
def test_a_label_patched_with_a_copy_does_not_match(label: SimulatedLabel, attack: str, share: float) -> None:
    """Half of a torn label beside half of a copy: some blocks agree as only the label itself does."""
    verdict = _check(label, _patched(label, attack, share))
    assert verdict.answer == "unclear" and "damaged" in verdict.reasons, verdict


def test_a_label_round_a_bottle_is_not_called_another(label: SimulatedLabel) -> None:
    answers = set()
    for radius in (14.0, 17.0, 20.0, 30.0):
        for seed in (33, 34):
            verdict = _check(label, _capture(label, "genuine", seed, radius=radius))
            answers.add(verdict.answer)
            assert verdict.answer == "matches" or set(verdict.reasons) & {"registration", "no_code"}, verdict
    assert "matches" in answers


def test_a_print_that_stands_out_everywhere_is_not_called_damaged() -> None:
    """What is left out as damage is little; where half of the symbols would be, none is."""
    rng = np.random.default_rng(3)
    residual = rng.standard_normal((384, 384)).astype(np.float32)
    flat = np.zeros_like(residual)
    assert not damaged_symbols(Parted(flat, residual)).any()
    scratched = residual.copy()
    scratched[:, 100:106] += 8
    found = damaged_symbols(Parted(flat, scratched))
    assert found[:, 16:18].all() and found.mean() < 0.1
    spotted = residual.copy()
    spotted[6:-6:36, :] += 40
    spotted[:, 6:-6:36] += 40
    assert not damaged_symbols(Parted(flat, spotted)).any()


def test_another_items_code_is_said(label: SimulatedLabel, photo: bytes) -> None:
    verdict = verify_pattern(photo, label.record, label.template, label.uri + "9")
    assert verdict.answer == "unclear" and verdict.reasons == ("other_code",)


def test_a_wall_has_no_code(label: SimulatedLabel) -> None:
    rng = np.random.default_rng(5)
    for wall in (np.full((900, 1200, 3), 190, np.uint8), rng.integers(0, 256, (600, 800, 3), np.uint8)):
        verdict = _check(label, _png(np.asarray(wall, np.uint8)))
        assert verdict.answer == "unclear" and verdict.reasons == ("no_code",)


def test_bytes_that_are_no_photo_are_refused(label: SimulatedLabel, photo: bytes) -> None:
    for data in (b"", b"hello", photo[: len(photo) // 2], b"\x89PNG\r\n\x1a\n" + b"\0" * 40):
        with pytest.raises(InputError, match=r"label\.image\.form"):
            _check(label, data)


def test_a_bomb_is_refused_before_it_is_decoded(label: SimulatedLabel) -> None:
    bomb = bytearray(_png(np.zeros((64, 64), np.uint8)))
    bomb[16:24] = (20_000).to_bytes(4, "big") * 2
    begun = time.process_time()
    with pytest.raises((TooLargeError, InputError)):
        _check(label, bytes(bomb))
    assert time.process_time() - begun < 0.5


def test_a_photo_with_its_pattern_scrambled_differs(label: SimulatedLabel, photo: bytes) -> None:
    """The same label's record under a template that is not its own never matches by accident."""
    verdict = verify_pattern(photo, make_label(42, "test", label.uri).record, label.template, label.uri)
    assert verdict.answer == "differs" and abs(verdict.score) < 0.3


def test_one_photo_sent_twice_is_known(label: SimulatedLabel, photo: bytes) -> None:
    image = _pixels(photo)
    first = _check(label, photo).fingerprint
    smaller = np.asarray(cv2.resize(image, None, fx=0.85, fy=0.85, interpolation=cv2.INTER_AREA), np.uint8)
    larger = np.asarray(cv2.resize(image, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC), np.uint8)
    for again in (
        photo,
        _jpeg(image, 65),
        _jpeg(smaller, 88),
        _jpeg(larger, 80),
        _jpeg(image[6:-4, 9:-3], 90),
    ):
        assert near_duplicate(first, _check(label, again).fingerprint)


def test_a_new_photo_is_not_one_sent_twice(label: SimulatedLabel, photo: bytes) -> None:
    held = _check(label, photo).fingerprint
    upright = [
        _check(label, _capture(label, "genuine", seed, turn=0.3 * seed, tilt=2.0)).fingerprint
        for seed in (1, 2, 3)
    ]
    for one, other in ((held, upright[0]), (upright[0], upright[1]), (upright[1], upright[2])):
        assert one and other and not near_duplicate(one, other)


def test_a_check_fits_into_its_time(label: SimulatedLabel, photo: bytes) -> None:
    """A tenth of a second of one core on the machine that is built on; three times that anywhere."""
    _check(label, photo)
    taken = []
    for _ in range(3):
        begun = time.thread_time()
        _check(label, photo)
        taken.append(time.thread_time() - begun)
    assert min(taken) < 0.3


def test_frames_that_cannot_be_enrolled_are_named(label: SimulatedLabel) -> None:
    frames = enrolment_images(41, "test", label.uri)
    small = cv2.resize(_pixels(frames[1]), None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    wall = _png(np.full((400, 400), 200, np.uint8))
    cut = _png(_pixels(frames[1])[:, : int(_pixels(frames[1]).shape[1] * 0.7)])
    cases: list[tuple[str, list[bytes], str, bytes, str]] = [
        ("frames", [], label.uri, label.template, "$.images"),
        ("no_code", [frames[0], wall], label.uri, label.template, "$.images[1]"),
        ("other_code", frames, label.uri + "1", label.template, "$.images[0]"),
        (
            "too_small",
            [frames[0], _png(np.asarray(small, np.uint8))],
            label.uri,
            label.template,
            "$.images[1]",
        ),
        ("out_of_view", [frames[0], cut], label.uri, label.template, "$.images[1]"),
        ("template", frames, label.uri, template_of(43, "test"), "$.images[0]"),
    ]
    for reason, images, uri, template, path in cases:
        with pytest.raises(InputError) as refused:
            enrol_pattern(images, uri, template, label.placement)
        assert (refused.value.code, refused.value.path) == (f"label.enrolment.{reason}", path)
        assert refused.value.remedy


def test_a_template_has_512_bytes(label: SimulatedLabel, photo: bytes) -> None:
    with pytest.raises(SuyuanError, match=r"label\.template\.form"):
        verify_pattern(photo, label.record, label.template[:-1], label.uri)


def test_a_pattern_printed_light_on_dark_is_enrolled_and_told(label: SimulatedLabel) -> None:
    """White ink on black stock: code and pattern are negatives of what they are elsewhere."""
    frames = [_png(255 - _pixels(frame)[:, :, 0]) for frame in enrolment_images(41, "test", label.uri)]
    record = enrol_pattern(frames, label.uri, label.template, label.placement)
    genuine, leaked = (255 - _pixels(_capture(label, attack, 9)) for attack in ("genuine", "leaked_template"))
    assert verify_pattern(_png(genuine), record, label.template, label.uri).answer == "matches"
    assert verify_pattern(_png(leaked), record, label.template, label.uri).answer == "differs"


def test_a_pattern_a_little_off_its_place_is_found(label: SimulatedLabel, photo: bytes) -> None:
    """Code and pattern printed by two stations of one press: a fifth of a millimetre between them."""
    place = label.placement
    off = Placement(place.x + 0.7, place.y - 0.6, place.side)
    frames = enrolment_images(41, "test", label.uri)
    record = enrol_pattern(frames, label.uri, label.template, off)
    assert verify_pattern(photo, record, label.template, label.uri).answer == "matches"


def _capture(
    label: SimulatedLabel, attack: str, seed: int, damage: Damage | None = None, **phone: float
) -> bytes:
    usual = {"pixel": 32.0, "exposure": 0.75, "glare": 0.05}
    return capture(label, attack, "test", seed, damage, **{**usual, **phone})[0]


def _patched(label: SimulatedLabel, attack: str, share: float) -> bytes:
    """A photo of the label, with ``share`` of its pattern from a photo of a copy held in the same way."""
    held = {"turn": 20.0, "tilt": 2.0, "bend": 0.0, "glare": 0.0, "warmth": 0.0, "exposure": 0.75}
    own, other = (_pixels(_capture(label, kind, 35, Damage(), **held)) for kind in ("genuine", attack))
    here, there = locate(own, label.uri), locate(other, label.uri)
    assert here is not None and there is not None
    size = (own.shape[1], own.shape[0])
    laid = cv2.warpPerspective(
        other, here.homography @ np.linalg.inv(there.homography), size, flags=cv2.INTER_CUBIC
    )
    place = label.placement
    left, right = place.x + place.side * (1 - share), place.x + place.side + 1
    ends = np.array(
        [
            (left, place.y - 1),
            (right, place.y - 1),
            (right, place.y + place.side + 1),
            (left, place.y + place.side + 1),
        ]
    )
    mask = np.zeros(own.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(project(here.homography, ends)).astype(np.int32), 1)
    own[mask > 0] = laid[mask > 0]
    return _png(own)


def _check(label: SimulatedLabel, data: bytes) -> Verdict:
    return verify_pattern(data, label.record, label.template, label.uri)


def _pixels(data: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _png(image: Picture) -> bytes:
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()


def _jpeg(image: Picture, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()
