"""Proof files: one entry's inclusion proof with its checkpoint, checkable offline (C2SP tlog-proof@v1).

``c2sp.org/tlog-proof@v1``, an optional line ``extra <base64>``, ``index <n>``, the proof's hashes in base64
from leaf to root, a blank line, the checkpoint verbatim. Files are named ``*.tlog-proof``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import NamedTuple

from suyuan.errors import InputError, VerificationError
from suyuan.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from suyuan.tlog.merkle import HASH_SIZE, verify_inclusion
from suyuan.tlog.note import MAX_NOTE_BYTES, Verifier, strict_base64

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile("index (0|[1-9][0-9]{0,18})")


class ProofFile(NamedTuple):
    """A proof file's parts. ``extra`` is not authenticated; None where the file has none."""

    leaf_index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def write_proof_file(proof: ProofFile) -> bytes:
    """The file's bytes."""
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {base64.b64encode(proof.extra).decode('ascii')}")
    lines.append(f"index {proof.leaf_index}")
    lines.extend(base64.b64encode(hash_).decode("ascii") for hash_ in proof.hashes)
    return "\n".join(lines).encode() + b"\n\n" + proof.checkpoint


def read_proof_file(data: bytes) -> ProofFile:
    """The parts of a proof file, nothing verified. Raises ``InputError`` (``tlog.proof_file.malformed``)."""
    head, blank, checkpoint = data[: MAX_NOTE_BYTES + 65_536].partition(b"\n\n")
    if not blank or not checkpoint:
        raise _malformed("It has no blank line before its checkpoint.")
    try:
        lines = head.decode().split("\n")
    except UnicodeDecodeError:
        raise _malformed("It is not UTF-8 text.") from None
    if lines.pop(0) != HEADER:
        raise _malformed(f"Its first line is not {HEADER}.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = strict_base64(lines.pop(0)[6:], "tlog.proof_file.malformed", "extra data")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None:
        raise _malformed("It has no index line.")
    hashes = tuple(strict_base64(line, "tlog.proof_file.malformed", "proof") for line in lines)
    if len(hashes) > 63 or any(len(hash_) != HASH_SIZE for hash_ in hashes):
        raise _malformed("Its proof is not at most 63 hashes of 32 bytes.")
    return ProofFile(int(match.group(1)), hashes, checkpoint, extra)


def verify_proof_file(
    proof: ProofFile, leaf_hash: bytes, log_key: Verifier, witnesses: Sequence[Verifier] = ()
) -> SignedCheckpoint:
    """Check that the leaf is in the log of ``log_key`` and return the checkpoint that says so.

    Raises ``VerificationError`` (``tlog.signature.*``, ``tlog.checkpoint.origin``, ``tlog.inclusion.*``) and
    ``InputError`` (``tlog.note.*``, ``tlog.checkpoint.malformed``).
    """
    signed = open_checkpoint(proof.checkpoint, log_key, witnesses)
    if proof.leaf_index >= signed.checkpoint.size:
        raise VerificationError("tlog.inclusion.index", "The checkpoint is older than the entry.")
    verify_inclusion(
        proof.leaf_index, signed.checkpoint.size, leaf_hash, proof.hashes, signed.checkpoint.root
    )
    return signed


def _malformed(reason: str) -> InputError:
    return InputError("tlog.proof_file.malformed", f"The file is no proof file. {reason}")
