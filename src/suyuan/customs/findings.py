"""What is wrong, or odd, in a customs message, each with its place and its remedy."""

from __future__ import annotations

import msgspec

from suyuan.errors import InputError


class Finding(msgspec.Struct, frozen=True):
    """One fault (``severity`` ``error``) or oddity (``warning``) of a message.

    ``code`` is stable, ``path`` the XPath of the field. Nothing personal is in ``reason`` or ``remedy``. ``words`` are
    what a sentence in another language needs to say the same: names, what is wanted, what was found.
    """

    code: str
    path: str
    reason: str
    remedy: str = ""
    severity: str = "error"
    words: tuple[tuple[str, str], ...] = ()


class FaultyMessageError(InputError):
    """A message with faults: reports the first and carries every ``Finding``, warnings too."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = next(finding for finding in findings if finding.severity == "error")
        more = sum(finding.severity == "error" for finding in findings) - 1
        reason = first.reason + (f" {more} more faults were found." if more else "")
        super().__init__(first.code, reason, path=first.path, remedy=first.remedy)
        self.findings = findings


def error(code: str, path: str, reason: str, remedy: str = "", **words: str) -> Finding:
    """A fault."""
    return Finding(code, path, reason, remedy, "error", tuple(words.items()))


def warning(code: str, path: str, reason: str, remedy: str = "", **words: str) -> Finding:
    """An oddity."""
    return Finding(code, path, reason, remedy, "warning", tuple(words.items()))
