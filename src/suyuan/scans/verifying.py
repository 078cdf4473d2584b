"""Verification by scratch code: first, repeated, wrong, not applicable, or too many tries.

Only failures are held against anybody, each in windows of a quarter of an hour: of a code from one address, after
which that address gets no answer about that code, right or wrong; of a code from wherever, and of an address with
whatever codes, after which only right codes are answered. A buyer is thus neither held up by who guesses at the same
code nor by who guesses from the same network, and a warehouse behind one address by nobody. Guessing is hopeless in
any case: a code has 60 bits; the limits keep it cheap and the journal short.

Right or wrong, the expected code is computed and compared in constant time.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.errors import InputError
from suyuan.issuing import MacKeys, ScratchKeys
from suyuan.issuing.scratch import SCRATCH_LENGTH, read_scratch_code
from suyuan.parties.origins import place_of

Result = Literal["first", "repeated", "wrong", "not_applicable", "too_many"]
WINDOW_SECONDS = 900
PAIR_LIMIT, CODE_LIMIT, ADDRESS_LIMIT = 5, 30, 300
# Right answers about one code in a window: a label is scratched once and shown to some people.
RIGHT_LIMIT = 100
_PLACE_LENGTH = 6
# How much each repetition speaks for a second label, and that it comes from another place than the first.
_REPEAT_SCORE, _ELSEWHERE_SCORE = 10, 40


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. ``count`` is the number of verifications so far, this one included; ``first_at`` when the first was.

    ``voided`` says that the code was taken out of use before it was sold. ``retry_seconds`` is set with ``too_many``.
    """

    result: Result
    count: int = 0
    first_at: datetime | None = None
    voided: bool = False
    retry_seconds: int = 0


class _Subjects(msgspec.Struct, frozen=True):
    pair: bytes
    code: bytes
    address: bytes
    right: bytes


class Verifier:
    """Verifies codes of this deployment; any number of processes over the same rows."""

    def __init__(self, pool: Pool, mac_keys: MacKeys, scratch_keys: ScratchKeys) -> None:
        self._pool = pool
        self._mac_keys = mac_keys
        self._scratch_keys = scratch_keys

    async def verify(
        self, gtin: str, serial: str, scratch_code: str, *, address: str, place: str = ""
    ) -> Verification:
        """Verify the item's scratch code as somebody at ``address`` typed it.

        ``place`` is a coarse one: a UN/LOCODE or a GB/T 2260 code, or nothing. Raises ``InputError``
        (``scan.code.form``, ``scan.place.form``), which counts as no try, and ``UnavailableError``
        (``issuing.scratch.key``).
        """
        typed = read_scratch_code(scratch_code)
        check_place(place)
        if self._mac_keys.is_forged(gtin, serial):
            # Made up: answered without the database.
            return Verification(result="not_applicable")
        subjects = self._subjects(gtin, serial, address)
        return await transaction(
            self._pool, lambda conn: self._verify(conn, gtin, serial, typed, subjects, place)
        )

    def _subjects(self, gtin: str, serial: str, address: str) -> _Subjects:
        digest = self._scratch_keys.digest
        address = place_of(address)
        return _Subjects(
            pair=digest("pair", gtin, serial, address),
            code=digest("code", gtin, serial),
            address=digest("address", address),
            right=digest("right", gtin, serial),
        )

    async def _verify(
        self, conn: Connection, gtin: str, serial: str, typed: str, subjects: _Subjects, place: str
    ) -> Verification:
        found = await conn.fetchrow(
            sql(__package__, "verified_code"),
            gtin,
            serial,
            list(msgspec.structs.astuple(subjects)),
            WINDOW_SECONDS,
        )
        assert found is not None
        expected = self._expected(found, gtin, serial)
        right = hmac.compare_digest(expected, typed) and bool(found["scratch_key"])
        pair, code, of_address, answered = found["tries"]
        if pair >= PAIR_LIMIT or (right and answered >= RIGHT_LIMIT):
            return _held(found)
        if not right:
            if code >= CODE_LIMIT or of_address >= ADDRESS_LIMIT:
                return _held(found)
            return await self._note_failure(conn, gtin, serial, subjects, place, found)
        await conn.execute(sql(__package__, "count_tries"), [subjects.right], WINDOW_SECONDS)
        return await _note_right(conn, gtin, serial, place, voided=found["voided"])

    def _expected(self, found: asyncpg.Record, gtin: str, serial: str) -> str:
        if not found["scratch_key"]:
            return "." * SCRATCH_LENGTH
        return self._scratch_keys.codes(found["epoch"], found["scratch_key"], gtin, [serial])[0]

    async def _note_failure(
        self,
        conn: Connection,
        gtin: str,
        serial: str,
        subjects: _Subjects,
        place: str,
        found: asyncpg.Record,
    ) -> Verification:
        # Sorted, so that two failures never wait for each other in a circle.
        tried = sorted([subjects.pair, subjects.code, subjects.address])
        await conn.execute(sql(__package__, "count_tries"), tried, WINDOW_SECONDS)
        await conn.execute(sql(__package__, "forget_tries"))
        result: Result = "wrong" if found["scratch_key"] else "not_applicable"
        if found["issued"]:
            # What was never issued here has no journal: anybody could fill it.
            await conn.execute(sql(__package__, "add_scan"), gtin, serial, result, 0, place)
        return Verification(result=result, voided=found["voided"])


async def _note_right(conn: Connection, gtin: str, serial: str, place: str, *, voided: bool) -> Verification:
    first = await conn.fetchrow(sql(__package__, "add_first"), gtin, serial, place)
    if first is not None:
        return Verification(result="first", count=1, first_at=first["scanned_at"], voided=voided)
    earlier = await conn.fetchrow(sql(__package__, "earlier"), gtin, serial)
    assert earlier is not None
    # One city has a name in each of the two lists: only names of one list are compared.
    elsewhere = place != earlier["place"] and len(place) == len(earlier["place"]) > 0
    score = min(100, _REPEAT_SCORE * int(earlier["count"]) + _ELSEWHERE_SCORE * elsewhere)
    await conn.execute(sql(__package__, "add_scan"), gtin, serial, "repeated", score, place)
    return Verification(
        result="repeated", count=int(earlier["count"]) + 1, first_at=earlier["first_at"], voided=voided
    )


def _held(found: asyncpg.Record) -> Verification:
    return Verification(result="too_many", retry_seconds=max(1, int(found["seconds_left"])))


def check_place(place: str) -> None:
    """Raise ``InputError`` (``scan.place.form``) for what is finer than a place may be, or no place."""
    upper = len(place) == 5 and place.isascii() and place.isalnum() and place == place.upper()
    district = len(place) == _PLACE_LENGTH and place.isascii() and place.isdigit()
    if place and not upper and not district:
        raise InputError(
            "scan.place.form",
            "A place is a UN/LOCODE (CNHGH) or six digits of GB/T 2260 (330100).",
            path="place",
            remedy="Leave it out, or name the city.",
        )
