"""What the rules of all SAS messages share: when something was declared, and what customs decided."""

from __future__ import annotations

from suyuan.customs.drafting import EventDraft
from suyuan.customs.message import Part
from suyuan.customs.values import Moment, read_time
from suyuan.epcis.model import Action


def declared_moment(draft: EventDraft, text: str, what: str) -> Moment:
    """The time of a declaration: a day becomes the time of sending if that is in it."""
    moment = draft.moment(text, what)
    sent = read_time(draft.message.envelope.get("send_time", ""))
    if moment.day_only and sent is not None and not sent.day_only:
        # The day's last instant is less than a day after anything in it and before anything after it.
        gap = (moment.time - sent.time).total_seconds()
        if 0 <= gap < 86_400:
            return sent
    return moment


def application_action(kind: str) -> Action:
    """A deletion (3) takes back what the others add."""
    return "DELETE" if kind == "3" else "ADD"


def approval_of(draft: EventDraft) -> Part | None:
    """The part of a receipt that says what was decided and when, if it is there."""
    results = draft.record.lines("HdeApprResult")
    return results[0] if results else None
