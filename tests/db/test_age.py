"""The age format: files of another implementation open here, what is sealed here opens again, nothing else does."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.db import age
from suyuan.errors import InputError, SuyuanError, VerificationError

# Made with the Rust implementation of the format; one with a stanza of an unknown kind, which is to be ignored.
IDENTITY = "AGE-SECRET-KEY-1EAT320PPXNFHW8GWYMHRHYEFHELNGXV8FETZA9CC8MX4YT4GDZCSZDNAAU"
FOR_RECIPIENT = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBBSzlVYjFSY2plOGpRaHczSFd3NU9QY1duS2Z2WlFaUzI3UDcrbHhvMVVRCnVzZnRj"
    "RkhWa0xmeFR2aGRYNVFlTUdjSUliazlEa3Nzdnd2blBNSktiZkkKLT4gVDBSLktBTS1ncmVhc2UgaGs+ZigKRnppTGZ5UTU0YXZod0MwaEVx"
    "ZEp5QlNUVzJTVTVQNE50S2ltN0hERDgyVQotLS0gaXcrY2JYN2hxQnhsU25OcWVoMHdQNlJYbEhjNFk3MUZWUm1VckoxZFpiSQrgHmII6pY4"
    "951FYhrKPYPKzhwH4xaTSsikpR/XuSPVVx36HoJkQSfpuBcOm3X6IuRfAurGQJ/3m+voAiEdrBo37g=="
)
PLAINTEXT = b"\x00\x01secret of 32 bytes or something"


def test_a_file_of_another_implementation_opens() -> None:
    assert age.unseal(FOR_RECIPIENT, identities=[age.new_identity(), IDENTITY]) == PLAINTEXT


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([0, 1, 65_535, 65_536, 65_537, 140_000]), st.integers(1, 3))
def test_what_was_sealed_opens_for_each_recipient(size: int, count: int) -> None:
    identities = [age.new_identity() for _ in range(count)]
    sealed = age.seal(b"\x07" * size, recipients=[age.recipient_of(one) for one in identities])
    for identity in identities:
        assert age.unseal(sealed, identities=[identity]) == b"\x07" * size
    with pytest.raises(VerificationError, match=r"age\.refused"):
        age.unseal(sealed, identities=[age.new_identity()])


def test_a_passphrase_opens_and_another_does_not() -> None:
    sealed = age.seal(b"key", passphrase="马到成功")
    assert age.unseal(sealed, passphrase="马到成功") == b"key"
    for wrong in ("马到", ""):
        with pytest.raises(VerificationError, match=r"age\.refused"):
            age.unseal(sealed, passphrase=wrong)


def test_every_changed_byte_is_noticed() -> None:
    identity = age.new_identity()
    sealed = age.seal(PLAINTEXT, recipients=[age.recipient_of(identity)])
    for at in range(len(sealed)):
        with pytest.raises(SuyuanError, match=r"age\."):
            age.unseal(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], identities=[identity])
        with pytest.raises(SuyuanError, match=r"age\."):
            age.unseal(sealed[:at], identities=[identity])


def test_what_cannot_be_a_key_is_refused() -> None:
    recipient = age.recipient_of(IDENTITY)
    for wrong in (
        "",
        "age1",
        recipient[:-1],
        recipient[:-1] + ("q" if recipient[-1] != "q" else "p"),
        IDENTITY,
    ):
        with pytest.raises(InputError, match=r"age\.recipient"):
            age.seal(b"", recipients=[wrong])
    with pytest.raises(InputError, match=r"age\.identity"):
        age.unseal(FOR_RECIPIENT, identities=[recipient])
    with pytest.raises(InputError, match=r"age\.recipient"):
        age.seal(b"", recipients=[recipient], passphrase="both")
    costly = age.seal(b"", passphrase="p").replace(b" 18\n", b" 30\n", 1)
    with pytest.raises(InputError, match=r"age\.format"):
        age.unseal(costly, passphrase="p")
