"""Merkle trees against RFC 6962's tree, the reference vectors and their own laws."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_vectors import load

from suyuan.errors import InputError, VerificationError
from suyuan.tlog import merkle


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [_bytes(item) for item in case["proof"] or []]


def reader(leaves: Sequence[bytes]) -> merkle.HashReader:
    """Reads perfect subtrees by hashing their leaves."""
    return lambda nodes: [
        merkle.root_hash(leaves[node.n << node.level : (node.n + 1) << node.level]) for node in nodes
    ]


def test_rfc6962_tree() -> None:
    tree = load("rfc6962_tree.json")
    leaves = [bytes.fromhex(text) for text in tree["leaf_inputs_hex"]]
    for size, root in enumerate(tree["roots_by_size_hex"]):
        assert merkle.root_hash(leaves[:size]).hex() == root
        assert merkle.tree_root(size, reader(leaves)).hex() == root
    for level, hashes in tree["node_hashes_hex"].items():
        nodes = [merkle.Node(int(level), index) for index in range(len(hashes))]
        assert [hash_.hex() for hash_ in reader(leaves)(nodes)] == hashes


def test_inclusion_vectors() -> None:
    for case in load("merkle_inclusion.json"):
        args = (
            case["leafIdx"],
            case["treeSize"],
            _bytes(case["leafHash"]),
            _proof(case),
            _bytes(case["root"]),
        )
        if case["wantErr"]:
            with pytest.raises(VerificationError):
                merkle.verify_inclusion(*args)
        else:
            merkle.verify_inclusion(*args)


def test_consistency_vectors() -> None:
    for case in load("merkle_consistency.json"):
        args = (case["size1"], case["size2"], _proof(case), _bytes(case["root1"]), _bytes(case["root2"]))
        if case["wantErr"]:
            with pytest.raises(VerificationError):
                merkle.verify_consistency(*args)
        else:
            merkle.verify_consistency(*args)


def test_subtree_vectors() -> None:
    for case in load("merkle_subtreeinclusion.json"):
        inclusion = (
            case["leafIdx"],
            case["start"],
            case["end"],
            _bytes(case["leafHash"]),
            _proof(case),
            _bytes(case["root"]),
        )
        if case["wantErr"]:
            with pytest.raises(VerificationError):
                merkle.verify_range_inclusion(*inclusion)
        else:
            merkle.verify_range_inclusion(*inclusion)
    for case in load("merkle_subtreeconsistency.json"):
        roots = (_bytes(case["root1"]), _bytes(case["root2"]))
        consistency = (case["start"], case["end"], case["size"], _proof(case), *roots)
        if case["wantErr"]:
            with pytest.raises(VerificationError):
                merkle.verify_range_consistency(*consistency)
        else:
            merkle.verify_range_consistency(*consistency)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_proofs_of_every_shape_hold_and_nothing_else_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    leaves = [bytes([index]) * 3 for index in range(size)]
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root, old_root = merkle.root_hash(leaves), merkle.root_hash(leaves[:old])
    leaf = merkle.leaf_hash(leaves[index])
    proof = merkle.inclusion_proof(index, size, reader(leaves))
    merkle.verify_inclusion(index, size, leaf, proof, root)
    consistency = merkle.consistency_proof(old, size, reader(leaves))
    merkle.verify_consistency(old, size, consistency, old_root, root)

    with pytest.raises(VerificationError):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(b"other"), proof, root)
    with pytest.raises(VerificationError):
        merkle.verify_inclusion(index, size, leaf, [*proof, root], root)
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda value: value != index))
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(other, size, leaf, proof, root)
    if old < size:
        place = data.draw(st.integers(0, len(consistency) - 1))
        broken = [bytes(32) if at == place else hash_ for at, hash_ in enumerate(consistency)]
        with pytest.raises(VerificationError):
            merkle.verify_consistency(old, size, broken, old_root, root)
        with pytest.raises(VerificationError):
            merkle.verify_consistency(old, size, consistency, root, root)


def test_proofs_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"tlog\.proof\.index"):
        merkle.inclusion_nodes(3, 3)
    with pytest.raises(InputError, match=r"tlog\.proof\.sizes"):
        merkle.consistency_nodes(4, 3)
    assert merkle.consistency_nodes(0, 9) == merkle.consistency_nodes(9, 9) == []
    with pytest.raises(InputError, match=r"tlog\.proof\.reader"):
        merkle.inclusion_proof(0, 2, lambda _: [])
