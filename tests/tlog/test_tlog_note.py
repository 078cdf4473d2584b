"""Signed notes, checkpoints, cosignatures, proof files and trust policies."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_vectors import load

from suyuan.errors import InputError, SuyuanError, VerificationError
from suyuan.tlog import checkpoint, cosignature, merkle, note, proof_file, trust_policy

LOG = note.Ed25519Signer("log.example/1", b"\x01" * 32)
OTHER = note.Ed25519Signer("log.example/1", b"\x02" * 32)
WITNESSES = [
    cosignature.CosignatureSigner(f"w{number}.example", bytes([number]) * 32, 1_760_000_000)
    for number in (1, 2, 3)
]
ENTRIES = [b"entry %d" % number for number in range(11)]
HEAD = checkpoint.Checkpoint(LOG.name, len(ENTRIES), merkle.root_hash(ENTRIES))


def test_note_vectors() -> None:
    vectors = load("signed_note.json")
    signer = note.read_skey(vectors["skey"])
    assert (
        note.write_skey(signer.name, note.strict_base64(vectors["skey"].split("+", 4)[4], "", "")[1:])
        == vectors["skey"]
    )
    signed = note.sign_note(vectors["sign"]["text"].encode(), [signer])
    assert signed == vectors["sign"]["want"].encode()
    for vkey in vectors["bad_vkeys"]:
        with pytest.raises(InputError):
            note.Ed25519Verifier(vkey)
    cases = [(case, case["msg"].encode()) for case in vectors["open"]]
    cases += [(case, bytes.fromhex(case["hex"])) for case in vectors["open_raw_hex"]]
    for case, message in cases:
        verifiers = [note.Ed25519Verifier(vkey) for vkey in case["vkeys"]]
        if not case["ok"]:
            with pytest.raises(SuyuanError):
                note.open_note(message, verifiers)
            continue
        opened = note.open_note(message, verifiers)
        assert [one.name for one in opened.verified] == case["verified"]
        # Vectors list the unverified of a collapsed note once per line.
        assert {one.name for one in opened.unverified} == set(case["unverified"])


def test_mangled_keys_are_refused() -> None:
    vkey = LOG.vkey
    for start in range(len(vkey)):
        for end in range(start + 1, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(InputError):
                    note.Ed25519Verifier(vkey[start:end])
    for place in range(len(vkey)):
        with pytest.raises(InputError):
            note.Ed25519Verifier(vkey[:place] + chr(ord(vkey[place]) + 1) + vkey[place + 1 :])


def test_secret_keys() -> None:
    text = note.write_skey("log.example/1", b"\x01" * 32)
    assert note.read_skey(text).vkey == LOG.vkey
    for bad in ("", text[8:], text.replace("log", "lag"), text[:-4], LOG.vkey):
        with pytest.raises(InputError) as caught:
            note.read_skey(bad)
        assert text.split("+")[-1] not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_note_with_one_byte_changed_is_rejected(data: st.DataObject) -> None:
    signed = note.sign_note(b"first\n\nlast\n", [LOG])
    verifier = note.Ed25519Verifier(LOG.vkey)
    assert note.open_note(signed, [verifier]).text == b"first\n\nlast\n"
    place = data.draw(st.integers(0, len(signed) - 1))
    changed = bytearray(signed)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SuyuanError):
        note.open_note(bytes(changed), [verifier])


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_no_note(data: bytes) -> None:
    for read in (
        lambda one: note.open_note(one, []),
        checkpoint.read_body,
        proof_file.read_proof_file,
        trust_policy.read_trust_policy,
    ):
        with pytest.raises(SuyuanError):
            read(data)


def test_unusable_notes() -> None:
    for text in (b"no newline", b"tab\t\n", b"\xff\n"):
        with pytest.raises(InputError):
            note.sign_note(text, [LOG])
    with pytest.raises(InputError):
        note.Ed25519Signer("white space", bytes(32))
    with pytest.raises(InputError):
        note.Ed25519Signer("short", bytes(31))
    with pytest.raises(InputError):
        note.Ed25519Verifier(WITNESSES[0].vkey)
    with pytest.raises(InputError):
        note.open_note(bytes(note.MAX_NOTE_BYTES + 1), [])


def test_checkpoint_vectors() -> None:
    for case in load("checkpoint_body.json")["cases"]:
        body = case["body"].encode()
        if case["ok"]:
            checkpoint.read_body(body, extensions=True, root_size=None)
        else:
            with pytest.raises(InputError):
                checkpoint.read_body(body, extensions=True, root_size=None)


def test_checkpoints() -> None:
    verifier = note.Ed25519Verifier(LOG.vkey)
    signed = checkpoint.sign_checkpoint(HEAD, [LOG])
    assert checkpoint.open_checkpoint(signed, verifier).checkpoint == HEAD
    with pytest.raises(VerificationError):
        checkpoint.open_checkpoint(signed, note.Ed25519Verifier(OTHER.vkey))
    foreign = note.Ed25519Signer("other.example", b"\x09" * 32)
    with pytest.raises(InputError):
        checkpoint.sign_checkpoint(HEAD, [foreign])
    with pytest.raises(VerificationError, match=r"tlog\.checkpoint\.origin"):
        checkpoint.open_checkpoint(note.sign_note(HEAD.body, [foreign]), note.Ed25519Verifier(foreign.vkey))
    for body in (
        HEAD.body + b"more\n",
        HEAD.body.replace(b"11", b"011"),
        HEAD.body[:-1],
        b"\xff" + HEAD.body,
    ):
        with pytest.raises(InputError):
            checkpoint.read_body(body)
    with pytest.raises(InputError):
        checkpoint.write_body("log", -1, bytes(32))


@pytest.mark.parametrize("algorithm", [cosignature.COSIGNATURE, cosignature.ML_DSA_44])
def test_cosignatures(algorithm: int) -> None:
    try:
        witness = cosignature.CosignatureSigner("w.example", b"\x05" * 32, 1_760_000_000, algorithm=algorithm)
    except SuyuanError as error:
        pytest.skip(str(error))
    verifier = cosignature.verifier_of(witness.vkey)
    signed = checkpoint.sign_checkpoint(HEAD, [LOG, witness])
    opened = checkpoint.open_checkpoint(signed, note.Ed25519Verifier(LOG.vkey), [verifier])
    assert [one.name for one in opened.note.verified] == [LOG.name, "w.example"]
    assert cosignature.cosignature_time(opened.note.verified[1].signature) == 1_760_000_000
    signature = bytearray(witness.sign(HEAD.body))
    for place in (0, 7, 8, len(signature) - 1):
        changed = bytes(signature[:place]) + bytes([signature[place] ^ 1]) + bytes(signature[place + 1 :])
        with pytest.raises(VerificationError):
            verifier.verify(HEAD.body, changed)
    with pytest.raises(InputError):
        verifier.verify(HEAD.body, b"short")
    # Signed by the witness alone, a checkpoint is not the log's.
    with pytest.raises(VerificationError):
        checkpoint.open_checkpoint(
            note.sign_note(HEAD.body, [witness]), note.Ed25519Verifier(LOG.vkey), [verifier]
        )


def test_witness_messages() -> None:
    assert cosignature.cosignature_message(7, HEAD.body) == b"cosignature/v1\ntime 7\n" + HEAD.body
    message = cosignature.subtree_message("w", 7, "log", 0, 11, HEAD.root)
    assert message == (
        b"subtree/v1\n\x00\x01w" + bytes(7) + b"\x07\x03log" + bytes(8) + bytes(7) + b"\x0b" + HEAD.root
    )
    with pytest.raises(InputError):
        cosignature.subtree_message("w" * 256, 7, "log", 0, 11, HEAD.root)
    with pytest.raises(InputError):
        cosignature.CosignatureVerifier(LOG.vkey)
    with pytest.raises(InputError):
        cosignature.CosignatureSigner("w", b"short", 0)


def test_proof_files() -> None:
    def read(nodes: list[merkle.Node]) -> list[bytes]:
        return [merkle.root_hash(ENTRIES[one.n << one.level : (one.n + 1) << one.level]) for one in nodes]

    hashes = tuple(merkle.inclusion_proof(4, 11, read))
    signed = checkpoint.sign_checkpoint(HEAD, [LOG])
    for extra in (None, b"", b"more"):
        proof = proof_file.ProofFile(4, hashes, signed, extra)
        data = proof_file.write_proof_file(proof)
        assert data.startswith(b"c2sp.org/tlog-proof@v1\n")
        assert proof_file.read_proof_file(data) == proof
    verifier = note.Ed25519Verifier(LOG.vkey)
    leaf = merkle.leaf_hash(ENTRIES[4])
    assert proof_file.verify_proof_file(proof, leaf, verifier).checkpoint == HEAD
    for wrong in (
        proof._replace(leaf_index=5),
        proof._replace(leaf_index=11),
        proof._replace(hashes=hashes[1:]),
    ):
        with pytest.raises(VerificationError):
            proof_file.verify_proof_file(wrong, leaf, verifier)
    for cut in (data[:30], data.replace(b"index 4", b"index 04"), data.replace(b"v1", b"v2", 1)):
        with pytest.raises(InputError):
            proof_file.read_proof_file(cut)


def test_trust_policy() -> None:
    lines = [f"log {LOG.vkey} https://log.example/", "# comment", ""]
    lines += [f"witness W{number} {witness.vkey}" for number, witness in enumerate(WITNESSES)]
    text = "\n".join([*lines, "group two 2 W0 W1 W2", "quorum two", ""])
    policy = trust_policy.read_trust_policy(text.encode())
    enough = checkpoint.sign_checkpoint(HEAD, [LOG, WITNESSES[0], WITNESSES[2]])
    signed, cosigned = trust_policy.verify_checkpoint(policy, enough)
    assert signed.checkpoint == HEAD
    assert cosigned == {"W0", "W2"}
    with pytest.raises(VerificationError, match=r"tlog\.policy\.quorum"):
        trust_policy.verify_checkpoint(policy, checkpoint.sign_checkpoint(HEAD, [LOG, WITNESSES[1]]))
    with pytest.raises(VerificationError):
        trust_policy.verify_checkpoint(policy, checkpoint.sign_checkpoint(HEAD, [OTHER, *WITNESSES]))
    stranger = note.Ed25519Signer("stranger", bytes(32))
    unknown = checkpoint.sign_checkpoint(HEAD._replace(origin="stranger"), [stranger])
    with pytest.raises(VerificationError, match=r"tlog\.policy\.log"):
        trust_policy.verify_checkpoint(policy, unknown)
    bare = trust_policy.read_trust_policy(f"log {LOG.vkey}\nquorum none\n".encode())
    assert trust_policy.verify_checkpoint(bare, enough)[1] == frozenset()


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "quorum W9",
        "quorum none\nquorum none",
        "group g 4 W0 W1 W2\nquorum g",
        "group g 0 W0\nquorum g",
        "group g all W0\ngroup h any W0\nquorum g",
        "group g all\nquorum g",
        "group none all W0\nquorum none",
        "group W0 all W1\nquorum W0",
        "unknown\nquorum none",
        f"witness again {WITNESSES[0].vkey}\nquorum none",
        f"log {WITNESSES[0].vkey}\nquorum none",
        "log nonsense\nquorum none",
        "quorum none\r\n",
    ],
)
def test_bad_trust_policies(tail: str) -> None:
    lines = [f"witness W{number} {witness.vkey}" for number, witness in enumerate(WITNESSES)]
    with pytest.raises(InputError):
        trust_policy.read_trust_policy("\n".join([*lines, tail]).encode())


def test_ids_follow_the_name_and_the_key() -> None:
    key = note.read_vkey(LOG.vkey)
    assert key.key_id == hashlib.sha256(b"log.example/1\n\x01" + key.material).digest()[:4]
