"""Enrolling a dynamic label: where its film lies, its cells in every frame, and whether they can be predicted.

The film is found, not assumed: around the code, beside it or below it. It is the square in which surroundings of the
code change with the camera's place much more than the pack does. What lies under the code itself is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.errors import InputError
from suyuan.label.codes import Located, locate, same_uri
from suyuan.label.dynamic_cells import differences
from suyuan.label.dynamic_frames import Reading, read_clip, stacked
from suyuan.label.dynamic_model import build_surface, cell_middles, half_vectors, predict, usual_removed
from suyuan.label.dynamic_pose import cameras_of, focal_length, label_tilts
from suyuan.label.dynamic_record import MOST_FRAMES, write_record
from suyuan.label.images import decode
from suyuan.label.model import Placement

LEAST_FRAMES: Final = 60
LEAST_DEGREES: Final = 12.0  # the tilts of an enrolment have to reach this far on all sides
LEAST_PREDICTED: Final = 0.03  # correlation of frames with what the others predict
_LOOKS: Final = 32  # frames that are looked at to find the film
_MARGIN: Final = 2.6  # code sides around the code that are searched
_LARGEST: Final = 3.0  # code sides
_OPEN: Final = 0.3  # of a square has to lie beside the code
_QUIET: Final = 4  # modules around the code that say nothing
_FILM: Final = 0.3  # of a lively cell's change; below, a cell shows paper or ink
_LEAST_CHANGE: Final = 0.002  # of the logarithm of light
_RATIO: Final = 1.3  # how much more the film changes than the pack


def enrol(frames: Sequence[bytes], uri: str, placement: Placement | None) -> bytes:
    """The record of a label; raises ``InputError`` (``label.enrolment.<reason>``)."""
    if not LEAST_FRAMES <= len(frames) <= MOST_FRAMES:
        raise _refused(
            "frames", f"{len(frames)} frames were given, where {LEAST_FRAMES} to {MOST_FRAMES} are needed."
        )
    place = placement or find_film(frames, uri)
    reading = read_clip(frames, uri, place)
    if len(reading.sights) < max(LEAST_FRAMES, len(frames) // 2):
        raise _of_refusals(reading)
    shape = reading.sights[0].shape
    if any(sight.shape != shape for sight in reading.sights):
        raise _refused("frames", "The frames are not of one size.")
    homographies = [sight.homography for sight in reading.sights]
    focal = focal_length(homographies, shape)
    centres, _ = cameras_of(homographies, shape, focal)
    cells = stacked(reading.sights)
    _require_tilts(label_tilts(centres, reading.size, place))
    film = film_mask(cells)
    _require_predictable(centres, cells, film, place)
    return write_record(reading.size, place, centres, film, cells)


def film_mask(cells: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which cells (24, 24) change enough to be film; paper and ink inside the square do not."""
    light = cells[..., 0] - np.nanmedian(cells[..., 0], axis=(1, 2), keepdims=True)
    change = np.nan_to_num(np.nanstd(light, axis=0))
    mask: NDArray[np.bool_] = change > _FILM * np.percentile(change, 80)
    return mask


def find_film(frames: Sequence[bytes], uri: str) -> Placement:
    """Where the film lies, from some of the frames."""
    chosen = sorted({round(number) for number in np.linspace(0, len(frames) - 1, min(_LOOKS, len(frames)))})
    looks, size, missed = [], 0, 0
    for number in chosen:
        image = decode(frames[number])
        located = locate(image, uri)
        if located is None or not same_uri(located.text, uri) or size not in (0, located.size):
            missed += 1
            if missed > len(chosen) // 4:
                raise _unread(number, located)
            continue
        size = located.size
        looks.append(_surroundings(image, located))
    stack = np.stack(looks)
    seen = np.isfinite(stack).mean(axis=0) > 0.8
    change = np.where(seen, np.nanstd(np.where(seen, stack, 0), axis=0), 0)
    return _largest_square(change, seen, size)


def _surroundings(image: NDArray[np.uint8], located: Located) -> NDArray[np.float32]:
    """The logarithm of light around the code, a value a module, against what is around it; NaN outside the frame."""
    margin = round(_MARGIN * located.size)
    fine = int(np.clip(np.ceil(located.pixels_per_module / 2), 2, 4))
    modules = located.size + 2 * margin
    scale = 1 / fine
    to_pixels = located.homography @ np.array(
        [[scale, 0, scale / 2 - margin], [0, scale, scale / 2 - margin], [0, 0, 1]]
    )
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    flat = cv2.warpPerspective(
        grey,
        to_pixels,
        (modules * fine, modules * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=-1e6,
    )
    mean = cv2.resize(flat, (modules, modules), interpolation=cv2.INTER_AREA)
    inside = (mean >= 0).astype(np.float32)
    light = np.log(np.maximum(mean, 0) / 255 + 0.05).astype(np.float32) * inside
    weight = cv2.GaussianBlur(inside, (0, 0), 3.0)
    smooth = cv2.GaussianBlur(light, (0, 0), 3.0) / np.maximum(weight, 0.01)
    return np.where(inside > 0, light - smooth, np.nan).astype(np.float32)


def _largest_square(change: NDArray[np.float32], seen: NDArray[np.bool_], size: int) -> Placement:
    """The square that holds most of what changes and least of what does not."""
    margin = (len(change) - size) // 2
    code = np.zeros_like(seen)
    code[margin - _QUIET : margin + size + _QUIET, margin - _QUIET : margin + size + _QUIET] = True
    open_ = seen & ~code
    # A module may hold no facet that answers; its neighbourhood does.
    smooth = np.asarray(cv2.blur(change.astype(np.float32), (5, 5)), np.float32)
    level, inside, outside = _split(smooth[open_])
    if inside < max(_RATIO * outside, _LEAST_CHANGE):
        raise _refused("static", "Nothing around the code changes with the angle as a dynamic label does.")
    votes = np.where(open_, np.where(smooth > level, 1.0, -1.0), 0.0)
    votes[~seen] = -1.0
    best, place = 0.0, None
    for side in range(size // 2, min(len(votes), round(_LARGEST * size)) + 1):
        # Not the code with a rim: there ink and paper change too, by the way that they fall on pixels.
        sums = np.where(_sums(~code, side) >= _OPEN * side**2, _sums(votes, side), -1.0)
        at = int(sums.argmax())
        if sums.flat[at] > best:
            best = float(sums.flat[at])
            row, column = divmod(at, sums.shape[1])
            place = (column, row, side)
    if place is None:
        raise _refused("static", "No square around the code changes with the angle as a dynamic label does.")
    return Placement(x=float(place[0] - margin), y=float(place[1] - margin), side=float(place[2]))


def _sums(values: NDArray[np.float64] | NDArray[np.bool_], side: int) -> NDArray[np.float64]:
    """Over all squares of a side."""
    total = np.pad(values.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    return np.asarray(
        total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    )


def _split(values: NDArray[np.float32]) -> tuple[float, float, float]:
    """The level that parts values best in two (Otsu), and the median of either part, upper first."""
    ordered = np.sort(values).astype(np.float64)
    count = np.arange(1, len(ordered))
    below = ordered.cumsum()[:-1]
    above = ordered.sum() - below
    between = count * (len(ordered) - count) * (below / count - above / (len(ordered) - count)) ** 2
    at = int(between.argmax())
    return (
        float((ordered[at] + ordered[at + 1]) / 2),
        float(np.median(ordered[at + 1 :])),
        float(np.median(ordered[: at + 1])),
    )


def _require_tilts(tilts: NDArray[np.float64]) -> None:
    if (np.ptp(tilts, axis=0) < 2 * LEAST_DEGREES).any():
        raise _refused(
            "tilt", f"The frames do not look at the label from {LEAST_DEGREES:.0f} degrees on every side."
        )


def _require_predictable(
    centres: NDArray[np.float64], cells: NDArray[np.float32], film: NDArray[np.bool_], placement: Placement
) -> None:
    """Frames have to be predicted by the others: then the label answers to the camera's place."""
    asked = np.arange(len(centres)) % 5 == 2
    surface = build_surface(centres[~asked], cells[~asked], film, placement)
    expected = predict(surface, half_vectors(centres[asked], cell_middles(placement)))
    expected -= expected.mean(axis=0)
    seen = usual_removed(differences(cells[asked], film))
    energy = float(np.vdot(seen, seen)) * float(np.vdot(expected, expected))
    agreement = float(np.vdot(seen, expected)) / max(energy, 1e-12) ** 0.5
    if agreement < LEAST_PREDICTED:
        raise _refused(
            "unsteady",
            f"The frames do not predict each other (agreement {agreement:.2f}, {LEAST_PREDICTED} needed).",
        )


def _unread(number: int, located: Located | None) -> InputError:
    reason, text = (
        ("no_code", "No code is seen") if located is None else ("other_code", "Another item's code is seen")
    )
    return InputError(
        f"label.enrolment.{reason}",
        f"{text} in too many frames.",
        path=f"$[{number}]",
        remedy="Enrol again: the whole label with this item's code sharp in each frame, its torch on.",
    )


def _of_refusals(reading: Reading) -> InputError:
    reason = max(set(reading.refusals), key=reading.refusals.count)
    usable = set(reading.numbers)
    first = next(number for number in range(reading.sent) if number not in usable)
    return InputError(
        f"label.enrolment.{reason}",
        f"{len(reading.refusals)} of {reading.sent} frames cannot be used, most of them because of: {reason}.",
        path=f"$[{first}]",
        remedy="Enrol again: the whole label sharp in each frame, its torch on, at least four pixels a cell.",
    )


def _refused(reason: str, text: str) -> InputError:
    return InputError(
        f"label.enrolment.{reason}",
        text,
        path="$",
        remedy="Take 130 to 160 frames with the torch on, from a spiral of places up to 20 degrees off the normal.",
    )
