"""Passwords: what one must be, and its argon2id hash.

Length is what counts (NIST SP 800-63B): no rules of capitals and digits. A password is normalised to NFKC, so that
the same keys give the same password on every device. Hashing takes 32 MiB and some tens of milliseconds; it runs in
threads, two at a time in a process, so that a wave of sign-ins cannot take the memory of everything else.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from suyuan.errors import InputError

MIN_LENGTH, MAX_LENGTH = 12, 128
_DISTINCT = 6
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1, hash_len=32, type=Type.ID)
# Of random bytes that nobody kept: verifying against it costs what a real hash costs, and never succeeds.
_NOBODYS = _HASHER.hash(secrets.token_bytes(32))
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, user_name: str, path: str = "password") -> None:
    """Refuse a password that is short, of few different characters, or made of the user's name.

    Raises ``InputError`` (``user.password.length``, ``user.password.weak``).
    """
    normal = _normal(password)
    if not MIN_LENGTH <= len(normal) <= MAX_LENGTH:
        raise InputError(
            "user.password.length",
            f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.",
            path=path,
            remedy="Four words that do not belong together are easy to remember.",
        )
    bare = normal.casefold().replace(user_name, "")
    if len(set(bare)) < _DISTINCT or len(bare) < MIN_LENGTH // 2:
        raise InputError(
            "user.password.weak",
            "The password repeats a few characters or the user's name.",
            path=path,
            remedy="Four words that do not belong together are easy to remember.",
        )


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its parameters and a salt of its own."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, _normal(password))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one of the stored hash; as slow where there is none, and then false."""
    text = _normal(password[: MAX_LENGTH * 4])
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, stored, text)


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(stored or _NOBODYS, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_new_hash(stored: str) -> bool:
    """Whether the hash was made with other parameters than those of today."""
    return _HASHER.check_needs_rehash(stored)
