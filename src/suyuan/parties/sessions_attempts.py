"""Limits on guessing, which hold a guesser up and nobody else.

Failures of the last quarter of an hour are counted for a name at an address, for a name wherever it is tried, and
for an address whatever it tries. A whole warehouse may sit behind one address, so somebody who signed in from it
in the last 90 days is held up neither by what others fail at there nor by what is tried elsewhere under that name:
for such a pair only its own failures count. An address of IPv6 counts as its /64, all of which one subscriber has. An
attempt is counted before the password is looked at, so that many at once cannot slip through; a success takes the
pair's failures back. Unknown names are counted like known ones.
"""

from __future__ import annotations

from datetime import timedelta

from suyuan.db.pool import Connection, Pool, sql, transaction
from suyuan.errors import RefusedError
from suyuan.parties.origins import place_of
from suyuan.parties.totp import UserKeys
from suyuan.parties.users import normal_name

WINDOW_SECONDS = 900.0
PAIR_LIMIT, NAME_LIMIT, ADDRESS_LIMIT = 6, 24, 60
_KEPT_SECONDS = 86_400.0


class HeldError(RefusedError):
    """Too many failures: try again after ``seconds``."""

    http_status = 429

    def __init__(self, seconds: int) -> None:
        minutes = max(1, -(-seconds // 60))
        super().__init__(
            "user.sign_in.held",
            "There were too many failed attempts.",
            remedy=f"Try again in {minutes} minute{'s' * (minutes != 1)}.",
        )
        self.minutes = minutes


class Attempts:
    """Counts attempts to sign in; one per process, all of them over the same rows."""

    def __init__(self, pool: Pool, keys: UserKeys) -> None:
        self._pool = pool
        self._keys = keys

    def _pair(self, user_name: str, address: str) -> tuple[bytes, bytes]:
        name = normal_name(user_name)[:200]
        return self._keys.digest("name", name), self._keys.digest("address", place_of(address))

    async def begin(self, user_name: str, address: str) -> int:
        """Count an attempt and return its number. Raises ``HeldError`` (``user.sign_in.held``)."""
        name, origin = self._pair(user_name, address)

        async def work(conn: Connection) -> int:
            # Name before address, everywhere: two attempts never wait for each other in a circle.
            for key in (name, origin):
                await conn.execute(
                    sql(__package__, "lock_attempts"), int.from_bytes(key[:8], "big", signed=True)
                )
            return await self._count(conn, name, origin)

        return await transaction(self._pool, work)

    @staticmethod
    async def _count(conn: Connection, name: bytes, origin: bytes) -> int:
        row = await conn.fetchrow(sql(__package__, "count_attempts"), name, origin, WINDOW_SECONDS)
        assert row is not None
        limits = [("pair", PAIR_LIMIT)]
        if not row["known"]:
            limits += [("name", NAME_LIMIT), ("address", ADDRESS_LIMIT)]
        for kind, limit in limits:
            if row[kind] >= limit:
                until = row[f"{kind}_since"] + timedelta(seconds=WINDOW_SECONDS)
                raise HeldError(int((until - row["asked_at"]).total_seconds()) + 1)
        return int(await conn.fetchval(sql(__package__, "add_attempt"), name, origin))

    async def succeeded(self, user_name: str, address: str) -> None:
        """A sign-in is complete: the pair's failures are forgiven, and the address is known for it."""
        name, origin = self._pair(user_name, address)
        await self._pool.execute(sql(__package__, "forgive_attempts"), name, origin)
        await self._pool.execute(sql(__package__, "remember_address"), name, origin)
        await self._pool.execute(sql(__package__, "forget_attempts"), _KEPT_SECONDS)

    async def right(self, attempt_id: int) -> None:
        """An attempt gave the right password: it is no failure."""
        await self._pool.execute(sql(__package__, "attempt_succeeded"), attempt_id)
