"""Track A: a pattern in ordinary print, told from every other print of the same pattern by one photo.

Every symbol of the pattern is known to the server, and a copier can read it off the label. What no second printing
repeats is how ink and substrate met this once. So a label is enrolled after printing, from a few close frames, and a
photo is compared with that record, not with the template: what the template explains is taken out of both, and what
is left is correlated. The template still has a say: a pattern that is another's differs, however sharp the photo.

A photo is judged only if it can tell: enough pixels to a symbol, sharp, lit, not under glare, the pattern in view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from suyuan.errors import InputError
from suyuan.label.codes import Located, locate, project, same_uri
from suyuan.label.images import decode
from suyuan.label.model import Placement, Verdict, posed_fingerprint
from suyuan.label.pattern_quality import (
    COVERED,
    Light,
    block_contrast,
    clear_symbols,
    glare_of,
    measure_light,
    sharpness,
)
from suyuan.label.pattern_record import Record, read_record, write_record
from suyuan.label.pattern_residual import Explanation, predicted
from suyuan.label.pattern_score import Likeness, damaged_symbols, likeness
from suyuan.label.pattern_sheet import (
    SYMBOLS,
    Bits,
    Field,
    Sheet,
    drawing,
    flattened,
    inside,
    pixels_per_symbol,
    read_sheet,
    template_bits,
)
from suyuan.label.pattern_threshold import threshold_at, worst_at

TEMPLATE_BYTES: Final = SYMBOLS * SYMBOLS // 8
MAX_FRAMES: Final = 12

# To a symbol; below it a photo holds too little of what a copy lacks. A photo meant to have 2.5 measures 2.4 to 2.6.
LEAST_PIXELS: Final = 2.4
LEAST_SHARPNESS: Final = 0.20
LEAST_CONTRAST: Final = 30.0  # grey levels between the code's dark and light
MOST_GLARE: Final = 0.25
LEAST_VARIATION: Final = 0.06  # of the code's contrast; a pattern that varies less is covered or missing
LEAST_AGREEMENT: Final = 0.40  # with the template; prints of another one reach 0.1
STRAY: Final = 0.45  # symbols by which blocks may lie off the warp

# Shares of blocks that agree with the record. Between these a photo shows part of the right pattern; above, what is
# covered is left out; below, it is another pattern.
_FEW_BLOCKS: Final = 0.15
_MOST_BLOCKS: Final = 0.75
_LEAST_COMPARED: Final = 0.6  # of the blocks; with fewer in sight nothing matches
_MIXED: Final = 0.25  # between better and worse blocks: part of the pattern is this label's, and part is not
# How far the code's modules lie off a plane, in modules, and the pattern's symbols off one, in symbols, on a label that
# is bent. What an ordinary copy or a damaged label measures is a third of either.
_BENT_CODE: Final = 0.04
_BENT: Final = 0.35
# On a bent label the pattern is laid badly, but laid: another's agrees less. And where it is laid well, its own print
# would show in some blocks at least.
_LEAST_LAID: Final = 0.15
_LAID: Final = 0.85
_NOTHING: Final = 0.35
_LEAST_CLEAR: Final = 0.4  # of the symbols; with fewer, everything is looked at
_ENROL_PIXELS: Final = 4.0  # to a symbol: 20 micrometres a pixel at symbols of 94
_ENROL_AGREEMENT: Final = 0.6
_TAKE_FRAME: Final = (
    "Take the frame anew: the whole label flat, sharp, evenly lit, at 20 micrometres a pixel or finer."
)


def enrol_pattern(images: Sequence[bytes], uri: str, template: bytes, placement: Placement) -> bytes:
    """The record of a printed pattern from frames of a line camera or scanner, at least one; three are advised.

    ``uri`` is what the code beside it says, ``template`` its 512 bytes, ``placement`` where it stands. Raises
    ``InputError`` ``label.enrolment.<reason>`` that names the frame, and what ``images.decode`` raises.
    """
    bits = _bits(template)
    if not 1 <= len(images) <= MAX_FRAMES:
        raise InputError(
            "label.enrolment.frames",
            f"A pattern is enrolled from 1 to {MAX_FRAMES} frames; {len(images)} were sent.",
            path="$.images",
            remedy="Send three frames of each label.",
        )
    explanation, reference = Explanation(bits), drawing(bits)
    total = np.zeros_like(reference)
    for index, data in enumerate(images):
        sheet = _enrolled_frame(data, uri, placement, reference, f"$.images[{index}]")
        total += explanation.part(sheet.raw).values
        reference = flattened(total)  # the next frame is laid on the print itself
    return write_record(Record(placement, len(images), np.asarray(total / len(images), np.float32)))


def verify_pattern(image: bytes, record: bytes, template: bytes, uri: str) -> Verdict:
    """Compare one photo with a label's record.

    Raises what ``images.decode`` raises for bytes that are no photo, and ``label.record.form``; all else is a verdict.
    """
    enrolled, bits = read_record(record), _bits(template)
    grey = _grey(decode(image))
    located = locate(grey, uri)
    if located is None:
        return Verdict(answer="unclear", reasons=("no_code",))
    if not same_uri(located.text, uri):
        return Verdict(answer="unclear", reasons=("other_code",))
    return _judged(_upright_tones(grey, located), located, enrolled, bits)


def _judged(grey: NDArray[np.uint8], located: Located, enrolled: Record, bits: Bits) -> Verdict:
    pixels = pixels_per_symbol(located.homography, enrolled.placement)
    light = measure_light(grey, located)
    quality = {
        "pixels_per_symbol": pixels,
        "sharpness": sharpness(light.blur, pixels),
        "contrast": light.contrast,
        "tilt_degrees": _tilt(located, enrolled.placement),
    }
    reasons = _unfit(light, quality)
    if not inside(located.homography, enrolled.placement, grey.shape):
        return Verdict(
            answer="unclear",
            reasons=(*reasons, "registration"),
            quality=quality,
            fingerprint=_pose_only(located),
        )
    sheet = read_sheet(grey, located.homography, enrolled.placement, flattened(enrolled.values))
    varied = block_contrast(sheet.raw, light.contrast)
    glare = glare_of(varied)
    quality |= {"glare": glare, "registration": sheet.rms, "agreement": sheet.agreement}
    if glare > MOST_GLARE:
        reasons.append("glare")
    if float(np.median(varied)) < LEAST_VARIATION or _half_laid(sheet):
        reasons.append("registration")
    alike, fingerprint = _scored(located, sheet, varied, enrolled, bits)
    quality |= {"bend": sheet.bend, "worse_blocks": alike.low, "better_blocks": alike.high}
    sharp = quality["sharpness"]
    threshold = threshold_at(pixels, sharp)
    matches = (
        sheet.agreement >= LEAST_AGREEMENT
        and alike.score >= threshold
        and alike.low >= worst_at(pixels, sharp)
        and alike.seen >= _LEAST_COMPARED
    )
    if not matches:
        reasons += [reason for reason in _doubts(located, sheet, alike, threshold) if reason not in reasons]
    return Verdict(
        answer="unclear" if reasons else "matches" if matches else "differs",
        score=alike.score,
        threshold=threshold,
        reasons=tuple(reasons),
        quality=quality,
        fingerprint=fingerprint,
    )


def _doubts(located: Located, sheet: Sheet, alike: Likeness, threshold: float) -> list[str]:
    """Why a photo that does not match need not be of another label."""
    doubts = []
    bent = located.rms / located.pixels_per_module >= _BENT_CODE and sheet.bend >= _BENT
    told = sheet.agreement < _LEAST_LAID or (sheet.agreement >= _LAID and alike.high < _NOTHING)
    if bent and not told:
        doubts.append("registration")
    mixed = alike.high >= threshold and alike.high - alike.low >= _MIXED
    if mixed or (alike.score >= threshold and alike.seen < _LEAST_COMPARED):
        doubts.append("damaged")
    return doubts


def _scored(
    located: Located, sheet: Sheet, varied: NDArray[np.float64], enrolled: Record, bits: Bits
) -> tuple[Likeness, bytes]:
    """How alike photo and record are, and the capture's fingerprint."""
    clear = clear_symbols(varied, sheet.blocks)
    if clear.mean() <= _LEAST_CLEAR:
        clear = np.ones_like(clear)
    explanation = Explanation(bits, None if clear.all() else clear)
    capture = explanation.part(sheet.raw)
    damaged = damaged_symbols(capture) & clear
    if damaged.any():
        clear = clear & ~damaged
        explanation = Explanation(bits, clear)
        capture = explanation.part(sheet.raw)
    expected = predicted(explanation.part(enrolled.values), capture)
    return likeness(expected, capture, clear), _fingerprint(located, capture.residual, expected)


def _unfit(light: Light, quality: dict[str, float]) -> list[str]:
    """Why a photo cannot tell, as far as the code alone shows."""
    reasons = []
    if quality["pixels_per_symbol"] < LEAST_PIXELS:
        reasons.append("too_small")
    if light.contrast < LEAST_CONTRAST:
        reasons.append("too_dark" if light.light < 128 else "glare")
    elif quality["sharpness"] < LEAST_SHARPNESS:
        reasons.append("blurred")
    return reasons


def _half_laid(sheet: Sheet) -> bool:
    """Whether parts of the pattern agree with the record and others could not be laid on it: a fold, a finger."""
    agreeing = float((sheet.blocks > COVERED).mean())
    return _FEW_BLOCKS < agreeing < _MOST_BLOCKS


def _tilt(located: Located, placement: Placement) -> float:
    """How far the label leans away, in degrees, from how much shorter it looks in one direction."""
    middle = np.array([located.size / 2, located.size / 2])
    steps = np.array([(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)])
    ends = project(located.homography, middle + steps)
    long, short = np.linalg.svd(np.column_stack([ends[1] - ends[0], ends[3] - ends[2]]), compute_uv=False)
    return float(np.degrees(np.arccos(min(1.0, short / max(long, 1e-9)))))


def _pose(located: Located) -> list[float]:
    size = located.size
    corners = project(located.homography, np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float64))
    centred = (corners - corners.mean(axis=0)) / (located.pixels_per_module * size)
    return [float(value) for value in centred.ravel()]


def _pose_only(located: Located) -> bytes:
    return posed_fingerprint(_pose(located), b"")


def _fingerprint(located: Located, residual: Field, expected: Field) -> bytes:
    """The pose, and the sign of what neither template nor record explains: the noise of this one capture."""
    slope = float((residual * expected).sum() / ((expected * expected).sum() + 1e-9))
    noise = cv2.resize(residual - slope * expected, (SYMBOLS, SYMBOLS), interpolation=cv2.INTER_AREA)
    noise = noise - cv2.blur(noise, (7, 7))
    return posed_fingerprint(_pose(located), np.packbits(noise > 0).tobytes())


def _enrolled_frame(data: bytes, uri: str, placement: Placement, reference: Field, path: str) -> Sheet:
    grey = _grey(decode(data))
    located = locate(grey, uri)
    if located is None:
        raise _enrolment("no_code", "No QR code was found in the frame.", path)
    if not same_uri(located.text, uri):
        raise _enrolment(
            "other_code", "The QR code in the frame says something else than this label's URI.", path
        )
    pixels = pixels_per_symbol(located.homography, placement)
    if pixels < _ENROL_PIXELS:
        raise _enrolment(
            "too_small", f"A symbol measures {pixels:.1f} pixels; {_ENROL_PIXELS:.0f} are needed.", path
        )
    if not inside(located.homography, placement, grey.shape):
        raise _enrolment("out_of_view", "The pattern is not wholly in the frame.", path)
    grey = _upright_tones(grey, located)
    sheet = read_sheet(grey, located.homography, placement, reference)
    if sheet.agreement < _ENROL_AGREEMENT:  # a pattern in light ink, or one whose ones were left bare
        sheet = read_sheet(grey, located.homography, placement, np.negative(reference))
    if sheet.agreement < _ENROL_AGREEMENT:
        raise _enrolment(
            "template",
            "What is printed beside the code does not agree with the template of this serial.",
            path,
        )
    return sheet


def _enrolment(reason: str, words: str, path: str) -> InputError:
    return InputError(f"label.enrolment.{reason}", words, path=path, remedy=_TAKE_FRAME)


def _bits(template: bytes) -> Bits:
    if len(template) != TEMPLATE_BYTES:
        raise InputError(
            "label.template.form",
            f"A template has {TEMPLATE_BYTES} bytes; this one has {len(template)}.",
            path="$.template",
            remedy="Take the template from issuing.",
        )
    return template_bits(template)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _upright_tones(grey: NDArray[np.uint8], located: Located) -> NDArray[np.uint8]:
    """The photo with its code dark on light, as most are printed."""
    return np.asarray(255 - grey, np.uint8) if located.inverted else grey
