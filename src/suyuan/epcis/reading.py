"""What every reader of papers gives back: events, the personal data it saw, and what it wondered about.

Readers are pure: bytes in, a ``Reading`` or a ``SuyuanError`` out. A reader that cannot read a document
raises; a warning never stands for a statement of the sender that was left out.
"""

from __future__ import annotations

import msgspec

from suyuan.epcis.model import Event


class DerivedEvent(msgspec.Struct, frozen=True):
    """An event, the place in the document it comes from and the rule that made it.

    ``rule`` is empty for an event that the document states as such, else a name with its version such as
    ``ceb621/1``.
    """

    event: Event
    path: str
    rule: str


class PersonalField(msgspec.Struct, frozen=True):
    """A personal datum in the evidence: ``start`` to ``end`` of its bytes, and whose it is.

    ``category`` is one of name, id_number, phone, address, account, order_no, waybill_no, parcel_list_no,
    payment_no, free_text. ``subject`` names the person or the person's document, e.g.
    ``("order", issuer, number)``; all fields of one subject are encrypted and erased together.
    """

    path: str
    start: int
    end: int
    category: str
    subject: tuple[str, ...]


class Warning_(msgspec.Struct, frozen=True):  # noqa: N801 - the plain name is a builtin
    """Something that does not stop the reading and that the sender should know."""

    code: str
    path: str
    reason: str


class Reading(msgspec.Struct, frozen=True):
    """The whole outcome of reading one document.

    ``kind`` names the format (``EPCIS/JSON``, ``CEB621``, ``sheet/packing-list``). ``encrypt_whole`` asks
    that the evidence be encrypted as one piece because its personal data has no byte ranges.
    """

    kind: str
    events: tuple[DerivedEvent, ...]
    personal: tuple[PersonalField, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    encrypt_whole: bool = False
