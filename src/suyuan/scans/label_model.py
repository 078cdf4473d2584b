"""What a check of a label by its image is asked with and comes to; nothing here looks at an image.

A check has two steps. ``challenge`` gives a nonce for one label, and for a label whose look changes with the angle the
way in which the phone is to be tilted. ``check`` takes that nonce with one photo, up to three, or the frames of a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from suyuan.label.model import Answer, Track

MIB: Final = 1024 * 1024


class Bounds(msgspec.Struct, frozen=True):
    """How many images a capture may have, and of how many bytes each."""

    images: int
    image_bytes: int

    @property
    def total_bytes(self) -> int:
        """The most bytes that a capture may have."""
        return self.images * self.image_bytes


# What a check may bring: photos of a printed pattern, frames of a clip.
CHECK_BOUNDS: Final[dict[Track, Bounds]] = {"A": Bounds(3, 12 * MIB), "B": Bounds(40, 3 * MIB // 2)}
# Twelve frames judge a clip; so many are worth asking a browser for.
FRAMES_WANTED: Final = 24


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of one label is begun with.

    ``nonce`` serves one check of this label until ``expires_at``. ``tracks`` are the kinds of record that its label
    has: ``A``, one photo of the pattern; ``B``, a clip under the torch while the phone is tilted along ``path``, whose
    words are those of ``suyuan.label.path``. ``code_text`` is what the code on the label says, letter by letter.
    ``voided`` says that the code was taken out of use before it was sold.
    """

    nonce: str
    expires_at: datetime
    uri: str
    code_text: str
    tracks: tuple[Track, ...]
    path: tuple[str, ...] = ()
    voided: bool = False


class LabelCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check came to: the label matches its record, differs from it, or it could not be told (``unclear``).

    ``reasons`` are stable words (``suyuan.label.model.REASONS``) that ``label_wording.advice_of`` puts into sentences.
    ``retry_seconds`` is set where nothing was looked at because too many tries came before; the answer is then
    ``unclear``, and the nonce is still good. ``quality`` holds measured figures by name. ``enrolled_by`` made the
    record at ``enrolled_at``.
    """

    answer: Answer
    track: Track
    score: float = 0.0
    threshold: float = 0.0
    reasons: tuple[str, ...] = ()
    quality: dict[str, float] = {}
    voided: bool = False
    retry_seconds: int = 0
    enrolled_at: datetime | None = None
    enrolled_by: str = ""


class LabelChecks(Protocol):
    """What the doors ask for; ``suyuan.scans.LabelChecker`` is it."""

    async def challenge(self, uri: str) -> Challenge | None:
        """A challenge for the label of an item, by its canonical URI (https://id.gs1.org/01/.../21/...).

        None where no label was enrolled under that code: the same whether there is such a code or not.
        """
        ...

    async def check(
        self,
        nonce: str,
        images: Sequence[bytes],
        *,
        address: str,
        place: str = "",
        track: str = "",
        uri: str = "",
    ) -> LabelCheck:
        """Check a label by a capture that somebody at ``address`` sent, and note it as a scan of its code.

        ``images`` are read one at a time while the check runs, and once more where they are kept. ``place`` is coarse
        (a UN/LOCODE or six digits of GB/T 2260) or nothing. ``track`` need be named only for a label that has records
        of both kinds; left out, up to three images are photos and more are a clip. ``uri`` names the item under whose
        address the answer is shown: a nonce of another one is refused.

        Raises ``InputError`` (``scan.label.nonce``: unknown, expired or another label's; ``scan.label.images``: none,
        too many or too large; ``scan.label.track``; ``scan.place.form``), ``ConflictError``
        (``scan.label.nonce.used``), ``RefusedError`` (``enrolment.record.changed``), ``UnavailableError``
        (``scan.label.busy``, ``scan.label.lost``, ``issuing.pattern.key``) and ``UnsupportedError`` (``label.extra``).
        """
        ...
