"""Trust policies: which logs are accepted and how many witnesses must have cosigned (C2SP tlog-policy).

Lines ``log <vkey> [<url>]``, ``witness <name> <vkey> [<url>]``, ``group <name> all|any|<k> <member>...`` and
one ``quorum <name>|none``. A name is defined once and before its use, and is a member of one group at most,
so each witness counts in one way. Names are compared octet by octet.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from suyuan.errors import InputError, VerificationError
from suyuan.tlog.checkpoint import SignedCheckpoint, open_checkpoint, read_body
from suyuan.tlog.cosignature import CosignatureVerifier
from suyuan.tlog.note import Ed25519Verifier, read_vkey, split_note

MAX_POLICY_BYTES = 1_000_000
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile("[1-9][0-9]{0,5}")


class Group(NamedTuple):
    """At least ``threshold`` of the members (witnesses or groups) must have cosigned."""

    threshold: int
    members: tuple[str, ...]


class TrustPolicy(NamedTuple):
    """Accepted logs, witnesses and groups by name, and the quorum's name (``none``: no witness)."""

    logs: tuple[Ed25519Verifier, ...]
    witnesses: dict[str, CosignatureVerifier]
    groups: dict[str, Group]
    quorum: str

    def satisfied(self, cosigned: frozenset[str]) -> bool:
        """Whether cosignatures of these witnesses (by their policy names) make the quorum."""
        return self.quorum == "none" or self._met(self.quorum, cosigned)

    def _met(self, name: str, cosigned: frozenset[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._met(member, cosigned) for member in group.members) >= group.threshold


def read_trust_policy(data: bytes) -> TrustPolicy:
    """The policy of a file. Raises ``InputError`` (``tlog.policy.malformed``, path: the line)."""
    if len(data) > MAX_POLICY_BYTES or _CONTROL.search(data):
        raise InputError(
            "tlog.policy.malformed", "A policy is text of tabs, newlines and visible characters."
        )
    reading = _Reading()
    # Octets above 127 are opaque in this format; Latin-1 keeps each of them apart.
    for number, line in enumerate(data.decode("latin-1").split("\n"), start=1):
        words = re.findall("[^ \t]+", line)
        if words and not words[0].startswith("#"):
            reading.read(words, f"line {number}")
    if reading.quorum is None:
        raise InputError(
            "tlog.policy.malformed",
            "The policy has no quorum line.",
            remedy="Write 'quorum none' where no witness is required.",
        )
    return TrustPolicy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    def __init__(self) -> None:
        self.logs: list[Ed25519Verifier] = []
        self.witnesses: dict[str, CosignatureVerifier] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.keys: set[bytes] = set()
        self.used: set[str] = set()

    def read(self, words: list[str], path: str) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                text = self.new_key(vkey, "log", path)
                self.logs.append(Ed25519Verifier(text))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.new_name(name, path)
                self.witnesses[name] = CosignatureVerifier(self.new_key(vkey, "witness", path))
            case ["group", name, threshold, *members] if members:
                self.new_name(name, path)
                self.groups[name] = self.group(threshold, members, path)
            case ["quorum", name]:
                if self.quorum is not None or (name != "none" and not self.defined(name)):
                    raise _malformed("A policy has one quorum line, of a name defined before it.", path)
                self.quorum = name
            case _:
                raise _malformed("The line is none of log, witness, group and quorum.", path)

    def new_key(self, vkey: str, kind: str, path: str) -> str:
        try:
            text = vkey.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise _malformed("A key's name is UTF-8 text.", path) from None
        material = kind.encode() + read_vkey(text).material
        if material in self.keys:
            raise _malformed(f"The {kind}'s key is listed twice.", path)
        self.keys.add(material)
        return text

    def defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def new_name(self, name: str, path: str) -> None:
        if name == "none" or self.defined(name):
            raise _malformed("The name is reserved or defined twice.", path)

    def group(self, threshold: str, members: list[str], path: str) -> Group:
        for member in members:
            if not self.defined(member) or member in self.used:
                raise _malformed("A member is defined before the group and belongs to one group only.", path)
            self.used.add(member)
        if threshold in ("all", "any"):
            return Group(len(members) if threshold == "all" else 1, tuple(members))
        if not _COUNT.fullmatch(threshold) or int(threshold) > len(members):
            raise _malformed("A group needs all, any or a number of its members.", path)
        return Group(int(threshold), tuple(members))


def verify_checkpoint(policy: TrustPolicy, note: bytes) -> tuple[SignedCheckpoint, frozenset[str]]:
    """A checkpoint that the policy accepts, and the policy's names of the witnesses that cosigned it.

    Raises ``VerificationError`` (``tlog.policy.log``, ``tlog.policy.quorum``, ``tlog.signature.*``) and
    ``InputError`` (``tlog.note.*``, ``tlog.checkpoint.*``).
    """
    text, _ = split_note(note)
    origin = read_body(text).origin
    witnesses = tuple(policy.witnesses.values())
    candidates = [log for log in policy.logs if log.name == origin]
    signed: SignedCheckpoint | None = None
    for position, log in enumerate(candidates):
        try:
            signed = open_checkpoint(note, log, witnesses)
            break
        except VerificationError:
            # A log may have two keys of one name; the last one's failure is the answer.
            if position == len(candidates) - 1:
                raise
    if signed is None:
        raise VerificationError("tlog.policy.log", f"The policy does not list the log {origin}.")
    found = {(one.name, one.key_id) for one in signed.note.verified}
    cosigned = frozenset(
        name for name, witness in policy.witnesses.items() if (witness.name, witness.key_id) in found
    )
    if not policy.satisfied(cosigned):
        raise VerificationError(
            "tlog.policy.quorum",
            f"Too few witnesses of the policy cosigned the checkpoint ({len(cosigned)} of {len(witnesses)}).",
        )
    return signed, cosigned


def _malformed(reason: str, path: str) -> InputError:
    return InputError("tlog.policy.malformed", reason, path=path)
