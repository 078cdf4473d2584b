"""The vault: sealing inside a capture's transaction, revealing with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from suyuan.canon import canonical_json
from suyuan.db.pool import Connection, Pool, sql
from suyuan.errors import InputError, IntegrityError, NotFoundError
from suyuan.vault.keys import VaultKeys, seal, unseal
from suyuan.vault.opaque import make_token, open_token
from suyuan.vault.pseudonyms import PersonDocument, pseudonym_of, search_stem_of, subject_id_of

# One number that several firms gave: a handful at most.
MAX_CANDIDATES = 20
# Sealing more than that at a time would keep everybody else of the process waiting, so it has a thread.
_SEALED_AT_ONCE = 256 * 1024


class SealedPart(NamedTuple):
    """A sealed value and whose it is."""

    subject_id: bytes
    sealed: bytes


class FoundNumber(NamedTuple):
    """A pseudonym that is kept here and the subject of its document."""

    pseudonym: str
    subject_id: bytes


class Reveal(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal of reveals. ``actor`` is the ID of the user or of the token that the party acted by."""

    reveal_id: int
    subject_id: bytes
    party_id: str
    actor: str
    reason: str
    revealed_at: datetime


class _Number(msgspec.Struct, frozen=True):
    kind: str
    issuer: str
    number: str


class Vault:
    """Seals and unseals under this deployment's keys. Holds no state but the keys; one per process."""

    def __init__(self, keys: VaultKeys) -> None:
        self._keys = keys

    def pseudonym(self, kind: str, issuer: str, number: str) -> str:
        """``urn:suyuan:<kind>:`` and 52 characters of base32, always the same for the same document.

        Pure. Raises ``InputError`` (``vault.kind``, ``vault.number``).
        """
        return pseudonym_of(self._keys.pseudonym_key, kind, issuer, number)

    def subject_id(self, subject: Sequence[str]) -> bytes:
        """The 16 bytes that stand for a subject such as ``("order", issuer, number)``.

        Pure. Raises ``InputError`` (``vault.subject``).
        """
        return subject_id_of(self._keys.pseudonym_key, subject)

    async def seal_parts(
        self,
        conn: Connection,
        parts: Sequence[tuple[Sequence[str], bytes]],
        numbers: Iterable[PersonDocument | tuple[str, str, str]] = (),
    ) -> list[SealedPart]:
        """Seal values for their subjects, in the order given, and store the numbers behind pseudonyms.

        Runs inside the caller's transaction (READ COMMITTED), which must hold everything that one capture
        seals: subjects' keys are created and locked in the order of their IDs, so captures that share
        subjects wait for each other and never deadlock. An erasure of one of these subjects waits for the
        transaction's end. Storing a number again is no error.
        """
        if not conn.is_in_transaction():
            raise RuntimeError("seal_parts belongs into the transaction of the capture")
        subjects = [self.subject_id(subject) for subject, _ in parts]
        documents = {self.pseudonym(*document): PersonDocument(*document) for document in numbers}
        owners = {name: self.subject_id(document.subject) for name, document in documents.items()}
        keys = await self._data_keys(conn, {*subjects, *owners.values()})
        if documents:
            names = sorted(documents)
            sealed = [
                seal(keys[owners[name]], owners[name], canonical_json(documents[name]._asdict()))
                for name in names
            ]
            await conn.execute(
                sql(__package__, "add_numbers"),
                names,
                [owners[name] for name in names],
                sealed,
                [self._search_name(documents[name], name) for name in names],
            )

        def all_sealed() -> list[SealedPart]:
            return [
                SealedPart(subject_id, seal(keys[subject_id], subject_id, plaintext))
                for subject_id, (_, plaintext) in zip(subjects, parts, strict=True)
            ]

        if sum(len(plaintext) for _, plaintext in parts) > _SEALED_AT_ONCE:
            return await asyncio.to_thread(all_sealed)
        return all_sealed()

    def _search_name(self, document: PersonDocument, pseudonym: str) -> str:
        stem = search_stem_of(self._keys.pseudonym_key, document.kind, document.number)
        return stem + pseudonym.rpartition(":")[2]

    async def find_numbers(
        self, db: Pool | Connection, kind: str, number: str, issuer: str | None = None
    ) -> list[FoundNumber]:
        """The pseudonyms that are kept here for a number, at most ``MAX_CANDIDATES``; of any issuer without one.

        Not journalled: whoever shows it to a person says so with ``journal_lookup`` before. Raises ``InputError``
        (``vault.kind``, ``vault.number``).
        """
        if issuer is not None:
            pseudonym = self.pseudonym(kind, issuer, number)
            row = await db.fetchrow(sql(__package__, "get_number"), pseudonym)
            return [FoundNumber(pseudonym, row["subject_id"])] if row is not None else []
        stem = search_stem_of(self._keys.pseudonym_key, kind, number)
        rows = await db.fetch(sql(__package__, "find_numbers"), stem, MAX_CANDIDATES)
        return [
            FoundNumber(f"urn:suyuan:{kind}:{row['name'].rpartition(':')[2]}", row["subject_id"])
            for row in rows
        ]

    async def journal_lookup(
        self, pool: Pool, subject_ids: Iterable[bytes], *, kind: str, party_id: str, reason: str, by: str = ""
    ) -> None:
        """Enter in the journal of reveals that a party looks a number up, committed on return; ``by`` is its actor.

        What was asked for is entered also where nothing is found: give the asked subject then. Raises
        ``InputError`` (``vault.reason``).
        """
        check_reason(reason)
        await pool.execute(
            sql(__package__, "add_reveals"),
            sorted(set(subject_ids)),
            party_id,
            f"look-up of {kind}: {reason.strip()}",
            by,
        )

    async def issuers_of(self, db: Pool | Connection, pseudonyms: Sequence[str]) -> list[str]:
        """Who numbered these documents: a firm's code, empty where none was said or the number is erased."""
        found = []
        for pseudonym in pseudonyms:
            row = await db.fetchrow(sql(__package__, "get_number"), pseudonym)
            plaintext = None
            if row is not None:
                [plaintext] = await self.unseal_parts(db, [SealedPart(row["subject_id"], row["sealed"])])
            found.append("" if plaintext is None else msgspec.json.decode(plaintext, type=_Number).issuer)
        return found

    def make_token(self, party_id: str, names: Sequence[str], expires_at: datetime) -> str:
        """An opaque name for what a look-up found, for this party and until then. Pure but for its nonce."""
        return make_token(self._keys.pseudonym_key, party_id, names, expires_at)

    def open_token(self, party_id: str, token: str, now: datetime) -> tuple[tuple[str, ...], datetime]:
        """What a token names and when it ends. Raises ``NotFoundError`` (``vault.token.unknown``)."""
        return open_token(self._keys.pseudonym_key, party_id, token, now)

    async def _data_keys(self, conn: Connection, subject_ids: set[bytes]) -> dict[bytes, bytes]:
        keys: dict[bytes, bytes] = {}
        missing = sorted(subject_ids)
        while missing:
            fresh = {subject_id: self._keys.new_data_key(subject_id) for subject_id in missing}
            rows = await conn.fetch(
                sql(__package__, "add_subjects"), missing, [fresh[subject_id][1] for subject_id in missing]
            )
            keys.update((row["subject_id"], fresh[row["subject_id"]][0]) for row in rows)
            missing = [subject_id for subject_id in missing if subject_id not in keys]
            if missing:
                keys.update(await self._existing_keys(conn, missing, "lock_subjects"))
                # What is missing now was erased between the two statements and gets a new key.
                missing = [subject_id for subject_id in missing if subject_id not in keys]
        return keys

    async def _existing_keys(
        self, db: Pool | Connection, subject_ids: Sequence[bytes], statement: str
    ) -> Mapping[bytes, bytes]:
        rows = await db.fetch(sql(__package__, statement), subject_ids)
        return {row["subject_id"]: self._keys.unwrap(row["subject_id"], row["wrapped_key"]) for row in rows}

    async def unseal_parts(self, db: Pool | Connection, parts: Sequence[SealedPart]) -> list[bytes | None]:
        """The values again, in order; None where the subject was erased.

        For the machine alone: to derive events again, to check stored data. What a person gets to see goes
        through ``reveal_parts``. Raises ``IntegrityError`` (``vault.sealed``, ``vault.wrapped_key``).
        """
        keys = await self._existing_keys(db, sorted({part.subject_id for part in parts}), "get_subjects")
        return [
            unseal(keys[part.subject_id], part.subject_id, part.sealed) if part.subject_id in keys else None
            for part in parts
        ]

    async def reveal_parts(
        self, pool: Pool, parts: Sequence[SealedPart], *, party_id: str, reason: str, by: str = ""
    ) -> list[bytes | None]:
        """The values for a party that gave a reason: journalled, one row per subject, and committed before
        anything is unsealed. ``by`` is the user or the token that the party acts by.

        Raises ``InputError`` (``vault.reason``) and what ``unseal_parts`` raises.
        """
        check_reason(reason)
        # A pool, not a connection: no transaction of the caller can undo the journal's row any more.
        await pool.execute(
            sql(__package__, "add_reveals"),
            sorted({part.subject_id for part in parts}),
            party_id,
            reason.strip(),
            by,
        )
        return await self.unseal_parts(pool, parts)

    async def reveal_number(
        self, pool: Pool, pseudonym: str, *, party_id: str, reason: str, by: str = ""
    ) -> PersonDocument:
        """The document behind a pseudonym, journalled like ``reveal_parts``.

        Raises ``InputError`` (``vault.reason``) and ``NotFoundError`` (``vault.number.unknown``), also for a
        number that was erased.
        """
        row = await pool.fetchrow(sql(__package__, "get_number"), pseudonym)
        if row is None:
            raise _unknown_number()
        part = SealedPart(row["subject_id"], row["sealed"])
        [plaintext] = await self.reveal_parts(pool, [part], party_id=party_id, reason=reason, by=by)
        if plaintext is None:
            raise _unknown_number()
        number = msgspec.json.decode(plaintext, type=_Number)
        if self.pseudonym(number.kind, number.issuer, number.number) != pseudonym:
            raise IntegrityError("vault.number.moved", "A sealed number lies under another one's pseudonym.")
        return PersonDocument(number.kind, number.issuer, number.number)


def _unknown_number() -> NotFoundError:
    return NotFoundError(
        "vault.number.unknown", "No number is kept under this pseudonym; it may have been erased."
    )


def check_reason(reason: str) -> None:
    """Raise ``InputError`` (``vault.reason``) unless the reason says something, in at most 500 characters."""
    if not 3 <= len(reason.strip()) <= 500:
        raise InputError(
            "vault.reason",
            "Personal data is revealed or erased for a reason of 3 to 500 characters.",
            path="reason",
            remedy="Name the purpose, such as the complaint or the request that it answers.",
        )


async def list_reveals(
    db: Pool | Connection, *, subject_id: bytes | None = None, before: int | None = None, limit: int = 100
) -> list[Reveal]:
    """The journal of reveals, newest first, of one subject or of all; ``before`` is a ``reveal_id``."""
    rows = await db.fetch(sql(__package__, "list_reveals"), subject_id, before, limit)
    return [Reveal(**dict(row)) for row in rows]
