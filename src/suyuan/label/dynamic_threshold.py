"""Where agreement ends and difference begins. The figures follow from the calibration split by a stated rule."""

from __future__ import annotations

from typing import Final

from suyuan.label.dynamic_score import Agreement

ACCEPTED: Final = 0.30
SURE: Final = 2 * ACCEPTED  # above, no lamp is looked for
DOUBTFUL: Final = (
    0.6 * ACCEPTED
)  # no other label comes so far, but a bent or blurred one of ours does not come further
LAMP: Final = 0.15  # agreement with a light that stays where it is; other labels reach 0.11
LIVELY: Final = 0.6  # of the film's change at enrolment; without a torch it reaches 0.5

_KNOWABLE: Final = 0.5  # a film of which less seems known is held to this: noise hides much from the estimate


def figure(agreed: Agreement) -> float:
    """The score of a clip: its weakest part's correlation, of what can be known of this film at the clip's places.

    The weakest part, so that a recording that is in step for a while does not pass. Of what can be known, because a
    film with narrow lobes is predicted less well from the same enrolment, by its own label as by any copy.
    """
    return agreed.weakest / max(agreed.knowable, _KNOWABLE)
