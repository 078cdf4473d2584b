"""The transparency log over the events: intake, sequencing, integration, publishing, proofs.

1. *Intake*: a capture writes an event and its intake row in one transaction (``append_intake``). No capture
waits
   for the log.
2. *Sequencing*: one sequencer at a time moves visible intake rows, in batches, to gapless indexes; it alone
locks
   the head.
3. *Integration*: full tiles of hashes are stored. They are a pure function of the log rows, so a crash at any
   instruction leaves a state from which the same tree is computed.
4. *Publishing*: what is new is read again and hashed again, the root is signed, and the checkpoint is entered
by
   compare and swap before anyone sees it.

The log refuses to sign as soon as its rows, its tiles, its last checkpoint and the copy of it that is kept
outside the database do not tell one story; captures go on meanwhile.

Trust: who can write to these tables can withhold entries, and can forge a history that nobody has seen yet.
They cannot change what a published checkpoint covers without every verifier noticing, and cannot sign without
the key file. Hash and file formats are ``suyuan.tlog``'s; what a leaf says is ``disclosure``'s.
"""

from suyuan.log.checking import Finding, Report, fsck
from suyuan.log.intake import append_intake, find_indexes, get_entries
from suyuan.log.integrating import integrate
from suyuan.log.publishing import (
    PublishedCopy,
    checkpoint,
    find_checkpoint,
    load_signer,
    publish,
    verify_head,
)
from suyuan.log.sequencer import LogStatus, Sequencer, status, wait_until_published
from suyuan.log.sequencing import sequence_once
from suyuan.log.tree import Tree

__all__ = [
    "Finding",
    "LogStatus",
    "PublishedCopy",
    "Report",
    "Sequencer",
    "Tree",
    "append_intake",
    "checkpoint",
    "find_checkpoint",
    "find_indexes",
    "fsck",
    "get_entries",
    "integrate",
    "load_signer",
    "publish",
    "sequence_once",
    "status",
    "verify_head",
    "wait_until_published",
]
