"""The states that customs gives to documents: what each code makes of the document, and where it stands.

Part of the rules, not a list that an operator replaces: the disposition goes into events, so a change here is
a new version of the rules that use it. The names of the codes are in the code lists (``code_list``).
Stages in order: ``port`` (at the electronic port), ``customs`` (under way), ``held`` (stopped until someone
acts), ``done`` (nothing more comes but what undoes it), ``ended`` (the document has no effect).
"""

from __future__ import annotations

import msgspec

from suyuan.customs.drafting import CBV_DISPOSITION, DISPOSITION


class DocumentState(msgspec.Struct, frozen=True):
    """One state of a kind of document: its code, the disposition in events, and its stage."""

    code_list: str
    code: str
    disposition: str
    stage: str


def _states(code_list: str, rows: str) -> dict[str, DocumentState]:
    found = {}
    for row in rows.split("\n"):
        code, name, stage = row.split()
        disposition = CBV_DISPOSITION + name[4:] if name.startswith("cbv:") else DISPOSITION + name
        found[code] = DocumentState(code_list, code, disposition, stage)
    return found


PARCEL_LIST = _states(
    "return_status",
    """1 stored port
2 declaring port
3 sent port
4 send_failed held
100 rejected ended
120 accepted customs
300 in_review held
399 concluded customs
500 inspection held
501 detained held
502 detained held
503 detained held
599 detained held
700 cbv:returned ended
800 released done
899 closed done""",
)
# What the electronic port and customs say of an order, a payment, a waybill, its status, an inbound detail.
TRADE_PAPER = _states(
    "return_status",
    """1 stored port
2 declaring port
3 sent port
4 send_failed held
100 rejected ended
120 accepted done
300 in_review held
399 concluded done""",
)


def _request(name: str) -> dict[str, DocumentState]:
    """States of a request about a list. They have names of their own: a return that was rejected must not read
    as if the list had been."""
    return _states(
        "return_status",
        f"""1 {name}_stored port
2 {name}_declaring port
3 {name}_sent port
4 {name}_send_failed held
100 {name}_rejected ended
120 {name}_accepted customs
300 {name}_in_review held
399 {name}_concluded done
500 {name}_inspection held
501 {name}_detained held
502 {name}_detained held
503 {name}_detained held
599 {name}_detained held
700 {name}_shipped_back done
800 {name}_released done
899 {name}_closed done""",
    )


CANCELLATION = _request("cancellation")
RETURN = _request("return")
BONDED_LIST = _states(
    "bonded_list_status",
    """0 approved done
1 declared customs
2 rejected ended
3 deleted ended""",
)
GATE_PASS = _states(
    "gate_pass_status",
    """0 declared customs
1 approved customs
2 passed_gate done
3 passed_gate customs
4 passed_gate done
5 deleted ended
6 void ended""",
)
TAX_BILL = _states(
    "tax_status",
    """1 tax_issued customs
2 tax_consolidated done
3 tax_void ended""",
)


def document_states() -> dict[str, dict[str, DocumentState]]:
    """The states by kind of document (``parcel-list``, ``order``, ``gate-pass`` ...) and code; ``cancellation`` and
    ``return`` are requests about a parcel's list."""
    trade = ("order", "payment", "waybill", "waybill-status", "inbound-detail")
    return {
        "parcel-list": dict(PARCEL_LIST),
        **{kind: dict(TRADE_PAPER) for kind in trade},
        "cancellation": dict(CANCELLATION),
        "return": dict(RETURN),
        "bonded-list": dict(BONDED_LIST),
        "gate-pass": dict(GATE_PASS),
        "tax-bill": dict(TAX_BILL),
    }


def disposition_of(states: dict[str, DocumentState], code: str) -> str | None:
    """The disposition of a state, or None for a code that is not known."""
    state = states.get(code)
    return state.disposition if state is not None else None
