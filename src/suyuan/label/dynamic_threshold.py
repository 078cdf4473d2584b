"""Where agreement ends and difference begins. The figures follow from the calibration split by a stated rule.

The rule is the geometric mean of the best score that any wrong label, print, foil print or unsynchronised replay had
there and of the first percentile of the labels' own clips: as many times above the one as below the other. With 96
trials of each attack (best 0.083, a replay whose path was not asked about) and 32 clips of sixteen labels themselves
(lowest 0.554), seed 2026, that is 0.21; other clips of the same split had a replay at 0.14, which gives 0.28. The
threshold stands between.
"""

from __future__ import annotations

from typing import Final

from suyuan.label.dynamic_score import Agreement

ACCEPTED: Final = 0.25
# Others seldom come so far, but a bent or blurred one of ours may not come further.
DOUBTFUL: Final = 0.10
# Modules by which those of the code lie off a flat one's, median of the frames. Flat labels had 0.002 to 0.04, those
# on cylinders of 70 and 45 mm radius 0.04 to 0.09; from there on a low score says nothing.
BENT: Final = 0.05
# Above, no lamp is looked for.
SURE: Final = 0.50
# Agreement with a light that stays where it is; other labels reached 0.11.
LAMP: Final = 0.15
# Of the film's change at enrolment; without a torch it reached 0.5.
LIVELY: Final = 0.6
# So much of a look has to be knowable, or what seems lively may be noise.
KNOWN: Final = 0.6
# A film of which less seems known is held to this: noise hides much from the estimate.
_KNOWABLE: Final = 0.5


def figure(agreed: Agreement) -> float:
    """The score of a clip: its weakest part's correlation, of what can be known of this film at the clip's places.

    The weakest part, so that a recording that is in step for a while does not pass. Of what can be known, because a
    film with narrow lobes is predicted less well from the same enrolment, by its own label as by any copy.
    """
    return agreed.weakest / max(agreed.knowable, _KNOWABLE)
