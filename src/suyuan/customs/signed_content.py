"""What can be told of a message's signature without a list of certificates: whether the content is what was signed.

The digest is compared, nothing else: who signed, and with which key, is judged where the trusted certificates are kept.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from suyuan.customs.message import read_message, recognise
from suyuan.customs.signature import Verdict, read_signed
from suyuan.errors import SuyuanError

State = Literal["unsigned", "agrees", "differs", "unjudged"]
DIFFERS: Final = "customs.signature.content"


class SignedContent(msgspec.Struct, frozen=True):
    """Whether a message is signed and its digest agrees; else why it does not, or was not judged."""

    state: State
    code: str = ""
    reason: str = ""


def signed_content(data: bytes) -> SignedContent | None:
    """The signature of a customs message against its content; None for what is no customs message."""
    if not recognise(data):
        return None
    if b"SignatureValue" not in data:
        return SignedContent("unsigned")
    try:
        read_message(data)  # bounds the document and refuses DTDs, before it is parsed once more
    except SuyuanError as error:
        return SignedContent("unjudged", error.code)
    signed = read_signed(data)
    if signed is None:
        return SignedContent("unsigned")
    verdict = signed if isinstance(signed, Verdict) else signed.compare()
    if not verdict.code:
        return SignedContent("agrees")
    return SignedContent("differs" if verdict.code == DIFFERS else "unjudged", verdict.code, verdict.reason)
