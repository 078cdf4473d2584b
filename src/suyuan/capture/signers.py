"""Who signed a paper: the signature is checked against the certificates that the operator trusts.

Only customs messages are signed so far. A signature that cannot be verified refuses nothing: the paper is taken as one
without, and its sender is told why. The certificate's party counts with the grants that it holds when the paper comes.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec

from suyuan import customs
from suyuan.capture.assurance import Signer
from suyuan.capture.prepare import Deliverer
from suyuan.customs.signature import SignedMessage, Verdict, read_signed
from suyuan.db.pool import Pool
from suyuan.epcis.reading import Reading, Warning_
from suyuan.parties.certificates import find_certificates
from suyuan.parties.members import get_party
from suyuan.parties.roles import grants_at

_MARK = b"SignatureValue"


async def with_signature(pool: Pool, data: bytes, deliverer: Deliverer) -> Deliverer:
    """The deliverer of a paper, with who signed it, or with why its signature counts for nothing."""
    if _MARK not in data or not customs.recognise(data):
        return deliverer
    signed = await asyncio.to_thread(read_signed, data)
    if signed is None:
        return deliverer
    if isinstance(signed, Verdict):
        return _unverified(deliverer, signed)
    return await _verified(pool, signed, deliverer)


async def _verified(pool: Pool, signed: SignedMessage, deliverer: Deliverer) -> Deliverer:
    now = datetime.now(UTC)
    named = await find_certificates(pool, fingerprint=signed.fingerprint, serial=signed.serial)
    verdict = await asyncio.to_thread(signed.verify, None, now)
    # A serial number is unique to its issuer only, so more than one certificate may be meant.
    for trusted in named:
        if trusted.revoked_at is not None:
            verdict = Verdict(None, "customs.signature.certificate_revoked", "The certificate was revoked.")
            continue
        verdict = await asyncio.to_thread(signed.verify, trusted.certificate, now)
        if verdict.certificate is not None:
            party = await get_party(pool, trusted.party_id)
            signer = Signer(
                party_id=party.party_id,
                grants=tuple(await grants_at(pool, party.party_id, now)),
                codes=frozenset(code for code in (party.customs_code, party.uscc, party.gln) if code),
                certificate=trusted.fingerprint,
            )
            return msgspec.structs.replace(deliverer, signer=signer)
    return _unverified(deliverer, verdict)


def _unverified(deliverer: Deliverer, verdict: Verdict) -> Deliverer:
    return msgspec.structs.replace(deliverer, unverified=(verdict.code, verdict.reason))


def told(reading: Reading, deliverer: Deliverer) -> Reading:
    """The reading with a warning where the paper's signature counts for nothing."""
    if not deliverer.unverified:
        return reading
    code, reason = deliverer.unverified
    warning = Warning_(code, "/Signature", f"{reason} The message is taken as one without a signature.")
    return msgspec.structs.replace(reading, warnings=(*reading.warnings, warning))
