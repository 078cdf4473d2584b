"""A dynamic label (glitter, hologram): enrolled from a spiral of frames, checked with a short torch-lit clip.

The question is not whether the label changes with the angle, which every foil does, but whether it changes as this
label did when it was enrolled, at the places where the camera stood. A clip that cannot answer is "unclear" and says
what to do better. What optics cannot tell is said in ``simulation.dynamic_trials`` and measured there.

Geometry: the film is a square beside, below or around the QR code, in modules of the code (``Placement``), kept in
the record. It is divided into 24 x 24 cells. Larger lies the film around the code, better is it registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suyuan.label import dynamic_enrolment
from suyuan.label.codes import locate
from suyuan.label.dynamic_fingerprint import fingerprint
from suyuan.label.dynamic_frames import Reading, Registration, Sight, read_clip, stacked
from suyuan.label.dynamic_model import Surface, surface_of
from suyuan.label.dynamic_pose import cameras_of, focal_length, label_tilts
from suyuan.label.dynamic_record import read_record
from suyuan.label.dynamic_score import Agreement, Clip, agreement, fixed_light
from suyuan.label.dynamic_threshold import ACCEPTED, BENT, DOUBTFUL, KNOWN, LAMP, LIVELY, SURE, figure
from suyuan.label.model import Answer, Placement, Verdict
from suyuan.label.path import Tilt, TiltPath, follows

LEAST_FRAMES: Final = 12
LEAST_USABLE: Final = 8  # of them some may be blurred
MOST_FRAMES: Final = 60  # of a longer clip so many are read, evenly
LEAST_DEGREES: Final = 8.0  # between the two places that lie farthest apart
_TORCH_SHARE: Final = 0.2
_TORCH_CERTAINTY: Final = 3.0


@dataclass(frozen=True, slots=True)
class Torch:
    """``share`` is about 1 where the light goes with the camera, 0 where it stays; ``certainty`` is in its errors."""

    share: float = 0.0
    certainty: float = 0.0

    @property
    def seen(self) -> bool:
        return self.share >= _TORCH_SHARE and self.certainty >= _TORCH_CERTAINTY


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """All of a clip that any record can be held against."""

    reading: Reading
    clip: Clip | None  # None where no frame could be used
    tilts: list[Tilt]
    torch: Torch


def enrol_dynamic(frames: Sequence[bytes], uri: str, placement: Placement | None = None) -> bytes:
    """The record of a label, from 60 to 400 frames; ``placement`` says where its film lies, else it is found.

    Raises ``InputError`` (``label.enrolment.<reason>``) and what reading an image raises.
    """
    return dynamic_enrolment.enrol(frames, uri, placement)


def clip_features(
    frames: Sequence[bytes], uri: str, placement: Placement, registration: Registration = locate
) -> Features:
    """Read a clip once, to score it against many records whose films lie at ``placement``."""
    reading = read_clip(frames, uri, placement, registration)
    usual = _usual_shape(reading.sights)
    kept = [sight for sight in reading.sights if sight.shape == usual]
    if not kept:
        return Features(reading, None, [], Torch())
    homographies = [sight.homography for sight in kept]
    focal = focal_length(homographies, usual)
    centres, _ = cameras_of(homographies, usual, focal)
    tilts: list[Tilt] = [(float(x), float(y)) for x, y in label_tilts(centres, reading.size, placement)]
    clip = Clip(homographies, usual, focal, stacked(kept))
    return Features(reading, clip, tilts, torch_evidence(kept, centres, reading.size))


def surface(record: bytes) -> Surface:
    """What a record lets expect; made once for many clips."""
    return surface_of(read_record(record))


def score(features: Features, record: Surface) -> Agreement | None:
    """How far a clip agrees with a record; None where no frame could be used."""
    return None if features.clip is None else agreement(features.clip, record)


def torch_evidence(sights: Sequence[Sight], centres: NDArray[np.float64], size: int) -> Torch:
    """How far the light goes with the camera.

    A torch some centimetres away lights the nearer part of the code more; as the camera moves, so does that slope.
    """
    flat = np.array([size / 2, size / 2]) - centres[:, :2]
    expected = -3 * flat / (np.sum(flat**2, axis=1) + centres[:, 2] ** 2)[:, None]
    seen = np.array([sight.code.slope for sight in sights])
    expected, seen = expected - expected.mean(axis=0), seen - seen.mean(axis=0)
    energy = max(float((expected**2).sum()), 1e-12)
    share = float((expected * seen).sum()) / energy
    left = float(((seen - share * expected) ** 2).sum()) / max(1, 2 * len(sights) - 3)
    return Torch(share, share / max(float(np.sqrt(left / energy)), 1e-9))


def verify_dynamic(frames: Sequence[bytes], record: bytes, uri: str, path: TiltPath) -> Verdict:
    """Hold a clip, its frames in order of time, against the record of the label with this code.

    Raises what reading an image or a record raises.
    """
    stored = read_record(record)
    if len(frames) > MOST_FRAMES:
        frames = [frames[round(at)] for at in np.linspace(0, len(frames) - 1, MOST_FRAMES)]
    return judge(clip_features(frames, uri, stored.placement), surface_of(stored), path)


def judge(features: Features, expected: Surface, path: TiltPath) -> Verdict:
    """The answer for a clip that was read, and a record."""
    agreed = score(features, expected)
    quality = _quality(features, agreed)
    answer: Answer = "unclear"
    reasons = _shortcomings(features, path)
    if agreed is not None and not reasons:
        answer, reasons = _compared(features, expected, agreed, quality)
    return Verdict(
        answer=answer,
        score=0.0 if agreed is None else round(figure(agreed), 4),
        threshold=ACCEPTED,
        reasons=reasons,
        quality=quality,
        fingerprint=b"" if features.clip is None else fingerprint(features.tilts, features.clip.cells),
    )


def _compared(
    features: Features, expected: Surface, agreed: Agreement, quality: dict[str, float]
) -> tuple[Answer, tuple[str, ...]]:
    """The answer of a clip that is good enough, and its reasons.

    A low score is another label's only if a torch was on. That is seen by its light on the code, or by a film that
    sparkles: under lamps and windows alone it hardly does. If it does so after all, but as under a lamp that stays
    where it is, then it is this label without the torch. A bent label agrees less the more it is bent.
    """
    value = figure(agreed)
    bent = quality["registration"] > BENT
    if value < SURE and features.clip is not None:
        lamp = fixed_light(features.clip, expected)
        quality["lamp"] = round(lamp, 4)
        if lamp > max(agreed.light, LAMP):
            return "unclear", ("registration" if bent else "torch_off",)
    if value >= ACCEPTED:
        return "matches", ()
    if bent:
        return "unclear", ("registration",)
    if agreed.liveliness < LIVELY and not features.torch.seen:
        return "unclear", ("torch_off",)
    if value >= DOUBTFUL:
        return "unclear", (_weakness(quality),)
    if agreed.knowable < KNOWN and not features.torch.seen:
        return "unclear", ("torch_off",)
    return "differs", ()


def _shortcomings(features: Features, path: TiltPath) -> tuple[str, ...]:
    """Why a clip cannot be judged, whatever it agrees with."""
    reading = features.reading
    if reading.sent < LEAST_FRAMES:
        return ("too_few_frames",)
    if len(features.tilts) < max(LEAST_USABLE, reading.sent // 2):
        often = sorted(set(reading.refusals), key=reading.refusals.count, reverse=True)
        return tuple(often[:2]) or ("too_few_frames",)
    if _span(features.tilts) < LEAST_DEGREES:
        return ("too_little_tilt",)
    if follows(features.tilts, path):
        return ()
    # From a bent label the camera's place is read wrongly: no better tilting would help.
    return ("registration", "tilt_path") if _registration(reading) > BENT else ("tilt_path",)


def _registration(reading: Reading) -> float:
    """How far the code's modules lie from where a flat code has them, in modules; the median of the frames."""
    return round(float(np.median([sight.rms for sight in reading.sights])), 4)


def _span(tilts: Sequence[Tilt]) -> float:
    places = np.array(tilts)
    return float(np.linalg.norm(places[:, None] - places[None], axis=2).max()) if len(places) else 0.0


def _weakness(quality: dict[str, float]) -> str:
    """What most likely kept a clip of the label itself from agreeing."""
    if quality["sharpness"] < 0.6:
        return "blurred"
    if quality["glare"] > 0.3:
        return "glare"
    return "registration"


def _quality(features: Features, agreed: Agreement | None) -> dict[str, float]:
    sights = features.reading.sights
    if not sights or agreed is None:
        return {"frames": 0.0}
    return {
        "frames": float(len(features.tilts)),
        "tilt_degrees": round(_span(features.tilts), 2),
        "pixels_per_module": round(float(np.median([sight.pixels_per_module for sight in sights])), 2),
        "registration": _registration(features.reading),
        "sharpness": round(float(np.median([sight.code.sharpness for sight in sights])), 3),
        "light": round(float(np.median([sight.code.light for sight in sights])), 3),
        "glare": round(float(np.median([sight.glare for sight in sights])), 3),
        "torch": round(features.torch.share, 3),
        "torch_certainty": round(features.torch.certainty, 2),
        "agreement": round(agreed.score, 4),
        "weakest": round(agreed.weakest, 4),
        "knowable": round(agreed.knowable, 4),
        "liveliness": round(agreed.liveliness, 3),
    }


def _usual_shape(sights: Sequence[Sight]) -> tuple[int, int]:
    shapes = [sight.shape for sight in sights]
    return max(set(shapes), key=shapes.count) if shapes else (0, 0)
