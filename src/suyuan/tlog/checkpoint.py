"""Checkpoints: a log's signed statement of its size and root (C2SP tlog-checkpoint).

The body is ``origin\\nsize\\nbase64(root)\\n``. Suyuan's log writes no extension lines; reading allows them
only where asked. The note must carry a signature by a key whose name is the origin.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import NamedTuple

from suyuan.errors import InputError, VerificationError
from suyuan.tlog.merkle import HASH_SIZE
from suyuan.tlog.note import Note, Signer, Verifier, check_name, open_note, sign_note, strict_base64

_SIZE = re.compile("0|[1-9][0-9]{0,18}")
MAX_SIZE = 2**63 - 1


class Checkpoint(NamedTuple):
    """The log named ``origin`` has ``size`` leaves under ``root``."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> bytes:
        """The text that is signed."""
        return write_body(self.origin, self.size, self.root)


class SignedCheckpoint(NamedTuple):
    """A checkpoint with the note that carries it, its signatures checked."""

    checkpoint: Checkpoint
    note: Note


def write_body(origin: str, size: int, root: bytes) -> bytes:
    """The body of a checkpoint. Raises ``InputError`` (``tlog.key.name``, ``tlog.checkpoint.malformed``)."""
    check_name(origin)
    if not 0 <= size <= MAX_SIZE or len(root) != HASH_SIZE:
        raise InputError(
            "tlog.checkpoint.malformed", "A checkpoint has a size of 0 or more and a 32-byte root."
        )
    return f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n".encode()


def read_body(body: bytes, *, extensions: bool = False, root_size: int | None = HASH_SIZE) -> Checkpoint:
    """The checkpoint of a body. Raises ``InputError`` (``tlog.checkpoint.malformed``).

    ``extensions`` allows further non-empty lines, which are not kept; ``root_size`` None allows a root of any
    length, for logs that do not hash with SHA-256.
    """
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError:
        raise InputError("tlog.checkpoint.malformed", "A checkpoint is UTF-8 text.") from None
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or (len(lines) > 4 and not extensions):
        raise InputError("tlog.checkpoint.malformed", "A checkpoint has the lines origin, size and root.")
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise InputError(
            "tlog.checkpoint.malformed", "A checkpoint's size is a decimal without leading zeros."
        )
    root = strict_base64(lines[2], "tlog.checkpoint.malformed", "checkpoint's root")
    if not root or (root_size is not None and len(root) != root_size):
        raise InputError("tlog.checkpoint.malformed", f"A checkpoint's root has {root_size} bytes.")
    return Checkpoint(lines[0], int(lines[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> bytes:
    """The signed note of a checkpoint.

    Raises ``InputError`` (``tlog.checkpoint.key_name``) unless the first signer's name is the origin.
    """
    if not signers or signers[0].name != checkpoint.origin:
        raise InputError("tlog.checkpoint.key_name", "A checkpoint is signed by a key named like its origin.")
    return sign_note(checkpoint.body, signers)


def open_checkpoint(
    note: bytes, log_key: Verifier, witnesses: Sequence[Verifier] = (), *, extensions: bool = False
) -> SignedCheckpoint:
    """A checkpoint that the log's key signed; cosignatures by known witnesses must hold too.

    Raises ``InputError`` (``tlog.note.*``, ``tlog.checkpoint.*``) and ``VerificationError``
    (``tlog.signature.*``, ``tlog.checkpoint.origin``).
    """
    opened = open_note(note, (log_key, *witnesses))
    checkpoint = read_body(opened.text, extensions=extensions)
    if checkpoint.origin != log_key.name:
        raise VerificationError(
            "tlog.checkpoint.origin", f"The checkpoint is not one of the log {log_key.name}."
        )
    if not any((one.name, one.key_id) == (log_key.name, log_key.key_id) for one in opened.verified):
        raise VerificationError("tlog.signature.missing", "The log's own key did not sign the checkpoint.")
    return SignedCheckpoint(checkpoint, opened)
