"""What a check comes to, as it is told: figures that can be written down, an answer held back, no record to ask."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from suyuan.enrolment.records import Enrolment
from suyuan.errors import InputError, NotFoundError
from suyuan.label.model import Track, Verdict
from suyuan.scans.label_model import LabelCheck

_CAPTURES: Final[dict[Track, str]] = {
    "A": "by one photo of its pattern (track A)",
    "B": "by a clip under the torch (track B)",
}


def measured(verdict: Verdict) -> Verdict:
    """The verdict with figures alone: of a black picture some are none, and JSON has no word for that."""
    quality = {name: value for name, value in verdict.quality.items() if math.isfinite(value)}
    score = verdict.score if math.isfinite(verdict.score) else 0.0
    return msgspec.structs.replace(verdict, score=score, quality=quality)


def told(enrolment: Enrolment, verdict: Verdict) -> LabelCheck:
    """The answer to a capture that was compared."""
    return LabelCheck(
        answer=verdict.answer,
        track=enrolment.track,
        score=verdict.score,
        threshold=verdict.threshold,
        reasons=verdict.reasons,
        quality=verdict.quality,
        voided=enrolment.voided,
        enrolled_at=enrolment.enrolled_at,
        enrolled_by=enrolment.party_id,
    )


def held(enrolment: Enrolment, seconds: int) -> LabelCheck:
    """The answer where nothing is looked at, or told, for so many seconds."""
    return LabelCheck(
        answer="unclear", track=enrolment.track, voided=enrolment.voided, retry_seconds=max(1, seconds)
    )


def unknown_label() -> NotFoundError:
    """The error for a code whose label was never enrolled: the same whether there is such a code or not."""
    return NotFoundError(
        "scan.label.unknown",
        "No label was enrolled under this code.",
        path="uri",
        remedy="Look the item up by its code; there is no label here to compare with.",
    )


def other_track(there: Track) -> InputError:
    """The error for a label whose only record is of the other track."""
    return InputError(
        "scan.label.track",
        f"There is no record of that kind of this label: it is checked {_CAPTURES[there]}.",
        path="track",
        remedy=f"Name track {there}, or none.",
    )
