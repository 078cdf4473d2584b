"""Codes: issued under a MAC of this deployment, printed, voided, activated.

This room stores its own acts only. What else becomes of a code (packed, shipped, sold, recalled...) is read off
events by ``trace``. How many codes may be activated is computed by ``compliance``; the command runs here, under
a lock on (lot, ledger item, facility), in the caller's transaction.
"""

from suyuan.issuing.batch_acts import mark_range_printed, void_unprinted
from suyuan.issuing.codes import (
    Activation,
    Batch,
    activate,
    code_statuses,
    find_batches,
    get_batch,
    issue,
    issuing_gtins,
    iter_serials,
    lock_activation,
    mark_printed,
    void,
)
from suyuan.issuing.history import CodeAct, CodeHistory, code_history
from suyuan.issuing.keys import MacKeys
from suyuan.issuing.patterns import PatternKeys
from suyuan.issuing.scratch import ScratchKeys

__all__ = [
    "Activation",
    "Batch",
    "CodeAct",
    "CodeHistory",
    "MacKeys",
    "PatternKeys",
    "ScratchKeys",
    "activate",
    "code_history",
    "code_statuses",
    "find_batches",
    "get_batch",
    "issue",
    "issuing_gtins",
    "iter_serials",
    "lock_activation",
    "mark_printed",
    "mark_range_printed",
    "void",
    "void_unprinted",
]
