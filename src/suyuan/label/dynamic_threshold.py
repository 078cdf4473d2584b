"""Where agreement ends and difference begins. The figures follow from the calibration split by a stated rule."""

from __future__ import annotations

from typing import Final

from suyuan.label.dynamic_score import Agreement

ACCEPTED: Final = 0.30
DOUBTFUL: Final = 0.15


def figure(agreed: Agreement) -> float:
    """The score of a clip: its weakest part counts, so that a recording that is in step for a while does not pass."""
    return min(agreed.score, agreed.weakest + 0.1)
