"""One tree of exceptions for every room.

An error that a caller can meet carries four things: a stable ``code`` (dotted, lower case, never
reworded), the ``path`` of the field in what was sent (JSONPath, XPath, a cell or an option name; empty
when the whole input is meant), the ``reason`` in one sentence and the ``remedy``: what to do now.
The subclass says what kind of refusal it is; the HTTP and CLI faces map the kind to a status and an exit
code. Nothing secret and nothing personal is ever put into a reason.
"""

from __future__ import annotations

from typing import ClassVar


class SuyuanError(Exception):
    """Base of every error that Suyuan raises on purpose."""

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, reason: str, *, path: str = "", remedy: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.path = path
        self.remedy = remedy

    def __str__(self) -> str:
        where = f" at {self.path}" if self.path else ""
        what_now = f" {self.remedy}" if self.remedy else ""
        return f"[{self.code}]{where} {self.reason}{what_now}"


class InputError(SuyuanError):
    """What was sent cannot be read or breaks a rule of its format."""

    http_status = 400
    exit_code = 2


class AuthenticationError(SuyuanError):
    """No token, or one that is unknown, expired or revoked."""

    http_status = 401
    exit_code = 3


class PermissionDenied(SuyuanError):  # noqa: N818 - what it is in every protocol that knows it
    """The token is good; what it asks for is outside its scopes or its party's grants."""

    http_status = 403
    exit_code = 3


class NotFoundError(SuyuanError):
    """Nothing under that name that this caller may see."""

    http_status = 404
    exit_code = 4


class ConflictError(SuyuanError):
    """The request contradicts what is stored."""

    http_status = 409
    exit_code = 5


class TooLargeError(SuyuanError):
    """More bytes, items or depth than this door takes."""

    http_status = 413
    exit_code = 2


class UnsupportedError(SuyuanError):
    """A format, version or media type that this door does not read."""

    http_status = 415
    exit_code = 2


class RefusedError(SuyuanError):
    """A well-formed command that a rule of the business forbids (an allowance, a state)."""

    http_status = 422
    exit_code = 6


class VerificationError(SuyuanError):
    """A proof, signature or digest does not hold."""

    http_status = 422
    exit_code = 7


class UnavailableError(SuyuanError):
    """Something that is needed now is not there: the database, a key, a lock. Trying again may help."""

    http_status = 503
    exit_code = 8


class IntegrityError(SuyuanError):
    """Stored data contradicts itself. Nothing is signed or acknowledged until it is understood."""

    http_status = 500
    exit_code = 9
