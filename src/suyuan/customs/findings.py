"""What is wrong, or odd, in a customs message, each with its place and its remedy."""

from __future__ import annotations

import msgspec

from suyuan.errors import InputError


class Finding(msgspec.Struct, frozen=True):
    """One fault (``severity`` ``error``) or oddity (``warning``) of a message.

    ``code`` is stable, ``path`` the XPath of the field. Nothing personal is in ``reason`` or ``remedy``.
    """

    code: str
    path: str
    reason: str
    remedy: str = ""
    severity: str = "error"


class FaultyMessageError(InputError):
    """A message with faults: reports the first and carries every ``Finding``, warnings too."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = next(finding for finding in findings if finding.severity == "error")
        more = sum(finding.severity == "error" for finding in findings) - 1
        reason = first.reason + (f" {more} more faults were found." if more else "")
        super().__init__(first.code, reason, path=first.path, remedy=first.remedy)
        self.findings = findings


def error(code: str, path: str, reason: str, remedy: str = "") -> Finding:
    """A fault."""
    return Finding(code, path, reason, remedy, "error")


def warning(code: str, path: str, reason: str, remedy: str = "") -> Finding:
    """An oddity."""
    return Finding(code, path, reason, remedy, "warning")
