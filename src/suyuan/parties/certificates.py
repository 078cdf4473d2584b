"""The certificates that the operator trusts, each as the hand of one party.

A signature proves who signed only as far as this list says whose certificate it is: the operator puts one on it after
seeing where it comes from. A revoked certificate verifies nothing from then on and stays on the list, so that it is
never taken up again by mistake; what it verified before keeps its standing, as every fact does.
"""

from __future__ import annotations

import re
from datetime import datetime

import asyncpg
import msgspec

from suyuan.customs.certificates import Certificate
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import ConflictError, NotFoundError
from suyuan.parties.members import unknown_party

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class TrustedCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate on the list: whose it is, since when, until when."""

    party_id: str
    certificate: Certificate
    added_at: datetime
    revoked_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hexadecimal."""
        return self.certificate.fingerprint


def _trusted(row: asyncpg.Record) -> TrustedCertificate:
    fields = dict(row)
    party_id, added_at, revoked_at = (fields.pop(name) for name in ("party_id", "added_at", "revoked_at"))
    return TrustedCertificate(
        party_id=party_id, certificate=Certificate(**fields), added_at=added_at, revoked_at=revoked_at
    )


async def add_certificate(
    db: Pool | Connection, party_id: str, certificate: Certificate
) -> TrustedCertificate:
    """Trust a certificate as the hand of a party; one that is on the list already as its hand is returned.

    Raises ``NotFoundError`` (``party.unknown``) and ``ConflictError`` (``certificate.taken``,
    ``certificate.revoked``).
    """
    held = certificate
    try:
        row = await db.fetchrow(
            sql(__package__, "add_certificate"),
            held.fingerprint,
            party_id,
            held.der,
            held.serial,
            held.subject,
            held.kind,
            held.legacy,
            held.not_before,
            held.not_after,
        )
    except asyncpg.ForeignKeyViolationError:
        raise unknown_party(party_id) from None
    if row is not None:
        return _trusted(row)
    before = (await find_certificates(db, fingerprint=held.fingerprint))[0]
    if before.revoked_at is not None:
        raise ConflictError(
            "certificate.revoked",
            "This certificate was revoked and stays so.",
            path="certificate",
            remedy="Ask its holder for a new certificate.",
        )
    if before.party_id != party_id or before.certificate.legacy != held.legacy:
        raise ConflictError(
            "certificate.taken",
            f"This certificate is on the list already, as the hand of {before.party_id}.",
            path="certificate",
            remedy="A certificate has one holder and one standing; revoke it, and add another.",
        )
    return before


async def list_certificates(db: Pool | Connection, party_id: str = "") -> list[TrustedCertificate]:
    """The certificates of a party, or all, revoked ones too."""
    return [_trusted(row) for row in await db.fetch(sql(__package__, "list_certificates"), party_id)]


async def find_certificates(
    db: Pool | Connection, *, fingerprint: str = "", serial: str = ""
) -> list[TrustedCertificate]:
    """What is on the list under a fingerprint or, without one, under a serial number (hexadecimal)."""
    rows = await db.fetch(sql(__package__, "find_certificates"), fingerprint, serial)
    return [_trusted(row) for row in rows]


async def revoke_certificate(db: Pool | Connection, fingerprint: str) -> TrustedCertificate:
    """Trust a certificate no more, from now on. Raises ``NotFoundError`` (``certificate.unknown``)."""
    wanted = fingerprint.strip().lower()
    row = None
    if _FINGERPRINT.fullmatch(wanted):
        row = await db.fetchrow(sql(__package__, "revoke_certificate"), wanted)
    if row is None:
        raise NotFoundError(
            "certificate.unknown",
            "There is no certificate with this fingerprint on the list.",
            path="fingerprint",
            remedy="Give the 64 hexadecimal digits that suyuan certificate list shows.",
        )
    return _trusted(row)
