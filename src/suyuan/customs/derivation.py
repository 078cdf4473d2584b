"""Which rule makes events from which message.

A rule is pure and reads one record. Its name with its version (``ceb621/1``), the path of the record and the
evidence identify a derivation; a rule that would make another event of the same record gets a new version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from suyuan.customs import (
    answer_rules,
    bonded_list_rules,
    ceb_receipt_rules,
    ceb_request_rules,
    ceb_rules,
    gate_pass_rules,
    inbound_detail_rules,
    two_step_rules,
)
from suyuan.customs.drafting import EventDraft
from suyuan.customs.message import Message
from suyuan.epcis.model import Event
from suyuan.epcis.reading import DerivedEvent, Warning_


class Rule(NamedTuple):
    """A named rule: one record in, its events out."""

    name: str
    derive: Callable[[EventDraft], list[Event]]


RULES: dict[str, tuple[Rule, ...]] = {
    "CEB311": (Rule("ceb311/1", ceb_rules.ceb311),),
    "CEB312": (Rule("ceb312/1", ceb_receipt_rules.ceb312),),
    "CEB411": (Rule("ceb411/1", ceb_rules.ceb411),),
    "CEB412": (Rule("ceb412/1", ceb_receipt_rules.ceb412),),
    "CEB511": (Rule("ceb511/2", ceb_rules.ceb511),),
    "CEB512": (Rule("ceb512/1", ceb_receipt_rules.ceb512),),
    "CEB513": (Rule("ceb513/1", ceb_rules.ceb513),),
    "CEB514": (Rule("ceb514/1", ceb_receipt_rules.ceb514),),
    "CEB621": (Rule("ceb621/2", ceb_rules.ceb621),),
    "CEB622": (Rule("ceb622/1", ceb_rules.ceb622),),
    "CEB623": (Rule("ceb623/1", ceb_request_rules.ceb623),),
    "CEB624": (Rule("ceb624/1", ceb_request_rules.ceb624),),
    "CEB625": (Rule("ceb625/1", ceb_request_rules.ceb625),),
    "CEB626": (Rule("ceb626/1", ceb_request_rules.ceb626),),
    "CEB711": (Rule("ceb711/1", inbound_detail_rules.ceb711),),
    "CEB712": (Rule("ceb712/1", inbound_detail_rules.ceb712),),
    "CEB816": (Rule("ceb816/1", ceb_rules.ceb816),),
    "CEB818": (Rule("ceb818/1", ceb_rules.ceb818),),
    "SAS/CommonResponse": (Rule("common-response/1", answer_rules.common_response),),
    "SAS/INV101": (
        Rule("inv101/1", bonded_list_rules.inv101),
        Rule("inv101-parcels/1", bonded_list_rules.inv101_parcels),
    ),
    "SAS/INV201": (Rule("inv201/1", bonded_list_rules.inv201),),
    "SAS/INV202": (Rule("inv202/1", bonded_list_rules.inv202),),
    "SAS/INV211": (Rule("inv211/1", bonded_list_rules.inv211),),
    "SAS/SAS121": (Rule("sas121/1", gate_pass_rules.sas121),),
    "SAS/SAS221": (Rule("sas221/1", gate_pass_rules.sas221),),
    "SAS/SAS223": (Rule("sas223/1", gate_pass_rules.sas223),),
    "SAS/SAS224": (Rule("sas224/1", gate_pass_rules.sas224),),
    "SAS/SAS251": (Rule("sas251/1", two_step_rules.sas251),),
    "SAS/SAS253": (Rule("sas253/1", two_step_rules.sas253),),
}


def derive(message: Message) -> tuple[tuple[DerivedEvent, ...], tuple[Warning_, ...]]:
    """The events that a message states, record by record, and what the rules wondered about.

    Raises ``InputError`` (``customs.field.time``, ``customs.field.missing``) for a record whose event has
    neither a time nor a document.
    """
    events: list[DerivedEvent] = []
    warnings: dict[tuple[str, str], Warning_] = {}
    for record in message.records:
        for rule in RULES[message.table.kind]:
            draft = EventDraft(message, record, rule.name)
            events.extend(DerivedEvent(event, record.path, rule.name) for event in rule.derive(draft))
            warnings.update({(one.code, one.path): one for one in draft.warnings})
    return tuple(events), tuple(warnings.values())
