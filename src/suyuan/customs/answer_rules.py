"""What the electronic port's answer to a SAS message (CommonResponeMessage) states: nothing that is an event.

It says that a call was taken or not, at no time, about a number whose kind of document it leaves open: a list, a gate
pass or another. It is kept as evidence; what becomes of the document is said by the receipts that follow.
"""

from __future__ import annotations

from suyuan.customs.drafting import EventDraft
from suyuan.epcis.model import Event
from suyuan.epcis.reading import Warning_


def common_response(draft: EventDraft) -> list[Event]:
    """No event, and a warning that says whether the port took the message. Its free text is not repeated."""
    path, flag = draft.record.path, draft.value("DealFlag")
    draft.warnings.append(
        Warning_(
            "customs.record.undated",
            path,
            "An answer of the electronic port names neither a time nor a kind of document; it is kept as evidence and"
            " makes no event.",
        )
    )
    if flag and flag != "0":
        draft.warnings.append(
            Warning_(
                "customs.record.not_taken",
                f"{path}/DealFlag",
                f"DealFlag is {flag[:8]!r}, not 0: the electronic port may not have taken the message.",
            )
        )
    return []
