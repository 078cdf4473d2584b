"""Merkle trees of RFC 6962 (hashing, section 2.1; verification, RFC 9162 section 2.1).

Hashes are SHA-256: the empty tree is H(""), a leaf H(0x00 || entry), a node H(0x01 || left || right). A tree
of n > 1 leaves is split at the largest power of two below n, so a tree of any size is a row of perfect
subtrees. A perfect subtree is addressed as ``Node(level, n)``: it covers the leaves
[n << level, (n + 1) << level).

Proofs are computed from a ``HashReader``, which is asked once for all perfect subtrees that a proof needs;
``inclusion_nodes`` and ``consistency_nodes`` name them beforehand, so that a caller may fetch them as it
likes. A proof that does not hold raises ``VerificationError``; nothing here returns false.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from suyuan.errors import InputError, VerificationError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A perfect subtree of 2**level leaves, the n-th of its level, both counted from 0."""

    level: int
    n: int


HashReader: TypeAlias = Callable[[Sequence[Node]], Sequence[bytes]]
"""Gives the hashes of perfect subtrees, in the order in which they were asked for."""

NodeGroup: TypeAlias = tuple[Node, ...]
"""Perfect subtrees side by side, from left to right; one hash of a proof is folded from them."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf, from the bytes of its entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, from the hashes of its children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(leaves: Iterable[bytes]) -> bytes:
    """Root of the tree over these entries, 32 bytes."""
    sha256 = hashlib.sha256
    return root_of_hashes([sha256(b"\x00" + leaf).digest() for leaf in leaves])


def parent_hashes(hashes: Sequence[bytes]) -> list[bytes]:
    """Hashes one level up, of the pairs of ``hashes``; an odd last one is not paired and left out."""
    sha256 = hashlib.sha256
    return [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(hashes[0::2], hashes[1::2], strict=False)
    ]


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes (or over equal perfect subtrees)."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        # Pairing from the left and carrying an odd last node up gives RFC 6962's tree.
        odd = [level[-1]] if len(level) % 2 else []
        level = parent_hashes(level) + odd
    return level[0]


def range_nodes(start: int, end: int) -> NodeGroup:
    """The perfect subtrees that cover the leaves [start, end), from left to right."""
    left: list[Node] = []
    right: list[Node] = []
    level = 0
    while start < end:
        if start & 1:
            left.append(Node(level, start))
            start += 1
        if end & 1:
            end -= 1
            right.append(Node(level, end))
        start >>= 1
        end >>= 1
        level += 1
    return (*left, *reversed(right))


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash over the subtrees of ``range_nodes``: the right ones are gathered first (RFC 6962's shape).

    Holds for ranges that are themselves a node of the tree: those that start at a multiple of the next power
    of two. An empty range is the empty tree.
    """
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for hash_ in reversed(hashes[:-1]):
        result = node_hash(hash_, result)
    return result


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_nodes(index: int, size: int) -> list[NodeGroup]:
    """What the inclusion proof of a leaf is made of: per hash of the proof its subtrees, leaf to root.

    Raises ``InputError`` (``tlog.proof.index``) where the tree holds no such leaf.
    """
    if not 0 <= index < size:
        raise InputError("tlog.proof.index", f"A tree of {size} leaves has no leaf {index}.")
    path: list[NodeGroup] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_nodes(middle, end))
            end = middle
        else:
            path.append(range_nodes(start, middle))
            start = middle
    return path[::-1]


def consistency_nodes(size1: int, size2: int) -> list[NodeGroup]:
    """What the consistency proof between two sizes is made of (RFC 6962 section 2.1.2).

    Equal sizes and size1 = 0 need no proof and give an empty list. Raises ``InputError``
    (``tlog.proof.sizes``) for sizes out of order.
    """
    if not 0 <= size1 <= size2:
        raise InputError(
            "tlog.proof.sizes", f"A tree of {size1} leaves is no earlier state of one of {size2}."
        )
    if size1 in (0, size2):
        return []
    path: list[NodeGroup] = []
    start, end = 0, size2
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append(range_nodes(middle, end))
            end = middle
        else:
            path.append(range_nodes(start, middle))
            start = middle
    if start > 0:
        # Only where the old tree is no left edge of the new one does the proof name the old tree's last part.
        path.append(range_nodes(start, end))
    return path[::-1]


def fold_groups(groups: Sequence[NodeGroup], read: HashReader) -> list[bytes]:
    """The hashes of a proof, read in one call of ``read``."""
    flat = [node for group in groups for node in group]
    hashes = read(flat)
    if len(hashes) != len(flat):
        raise InputError("tlog.proof.reader", f"The reader gave {len(hashes)} hashes for {len(flat)} nodes.")
    result: list[bytes] = []
    position = 0
    for group in groups:
        result.append(fold(hashes[position : position + len(group)]))
        position += len(group)
    return result


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """Proof that leaf ``index`` is in the tree of ``size`` leaves, hashes from leaf to root."""
    return fold_groups(inclusion_nodes(index, size), read)


def consistency_proof(size1: int, size2: int, read: HashReader) -> list[bytes]:
    """Proof that the tree of ``size1`` leaves is the start of the tree of ``size2`` leaves."""
    return fold_groups(consistency_nodes(size1, size2), read)


def tree_root(size: int, read: HashReader) -> bytes:
    """Root of the tree of ``size`` leaves."""
    return fold(read(range_nodes(0, size)))


def check_hashes(hashes: Iterable[bytes], what: str) -> None:
    """Raise ``VerificationError`` (``tlog.proof.hash_size``) unless each hash has 32 bytes."""
    for hash_ in hashes:
        if len(hash_) != HASH_SIZE:
            raise VerificationError("tlog.proof.hash_size", f"A hash of the {what} is not 32 bytes long.")


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to. Raises ``VerificationError`` if it has the wrong shape."""
    if not 0 <= index < size:
        raise VerificationError("tlog.inclusion.index", f"A tree of {size} leaves has no leaf {index}.")
    check_hashes((leaf,), "leaf")
    check_hashes(proof, "proof")
    position, last = index, size - 1
    result = leaf
    for sibling in proof:
        if last == 0:
            raise VerificationError("tlog.inclusion.length", "The inclusion proof has too many hashes.")
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            result = node_hash(result, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise VerificationError("tlog.inclusion.length", "The inclusion proof has too few hashes.")
    return result


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with ``leaf_hash`` is ``index`` of the tree of ``size`` leaves with ``root``.

    Raises ``VerificationError`` (``tlog.inclusion.*``, ``tlog.proof.hash_size``).
    """
    if root_from_inclusion(index, size, leaf_hash, proof) != root:
        raise VerificationError("tlog.inclusion.root", "The inclusion proof leads to another root.")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree (size1, root1) is the start of the tree (size2, root2); 0 < size1 <= size2.

    Raises ``VerificationError`` (``tlog.consistency.*``, ``tlog.proof.hash_size``). A tree of size 0 is the
    start of every tree and proves nothing, so asking for it is an error here.
    """
    if not 0 < size1 <= size2:
        raise VerificationError(
            "tlog.consistency.sizes", f"Consistency of {size1} with {size2} leaves cannot be proved."
        )
    verify_range_consistency(0, size1, size2, proof, root1, root2)


def verify_range_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], range_root: bytes, root: bytes
) -> None:
    """Check that the leaves [start, end) with ``range_root`` are part of the tree of ``size`` leaves.

    ``range_root`` is the root over those leaves alone; ``start`` must be a multiple of the smallest power of
    two that is at least end - start (a *valid subtree* of draft-ietf-plants-merkle-tree-certs). With start 0
    this is RFC 9162's consistency. An empty range has the empty root and an empty proof. Raises
    ``VerificationError`` (``tlog.consistency.*``).
    """
    if 0 <= start == end <= size:
        if proof or range_root != EMPTY_ROOT or (size == 0 and root != EMPTY_ROOT):
            raise VerificationError(
                "tlog.consistency.root", "An empty range has the empty root and no proof."
            )
        return
    if not (0 <= start < end <= size) or start & ((1 << (end - start - 1).bit_length()) - 1):
        raise VerificationError(
            "tlog.consistency.sizes",
            f"The leaves {start} to {end} are no subtree of a tree of {size} leaves.",
        )
    check_hashes(proof, "proof")
    first, last, whole = start, end - 1, size - 1
    # Climb to where the range's right edge first meets a hash from outside the range.
    while first != last and (last & 1 or last == whole):
        first, last, whole = first >> 1, last >> 1, whole >> 1
    rest = list(proof)
    if first == last:
        old = new = range_root
    elif rest:
        old = new = rest.pop(0)
    else:
        raise VerificationError("tlog.consistency.length", "The consistency proof has too few hashes.")
    for sibling in rest:
        if whole == 0:
            raise VerificationError("tlog.consistency.length", "The consistency proof has too many hashes.")
        if last & 1 or last == whole:
            if first < last:
                old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not last & 1 and last:
                first, last, whole = first >> 1, last >> 1, whole >> 1
        else:
            new = node_hash(new, sibling)
        first, last, whole = first >> 1, last >> 1, whole >> 1
    if whole:
        raise VerificationError("tlog.consistency.length", "The consistency proof has too few hashes.")
    if old != range_root or new != root:
        raise VerificationError("tlog.consistency.root", "The consistency proof leads to other roots.")


def verify_range_inclusion(
    index: int, start: int, end: int, leaf_hash: bytes, proof: Sequence[bytes], range_root: bytes
) -> None:
    """Check that leaf ``index`` is in the subtree over the leaves [start, end) with ``range_root``.

    ``start`` must be a multiple of the smallest power of two that is at least end - start. Raises
    ``VerificationError`` (``tlog.inclusion.*``, ``tlog.proof.hash_size``).
    """
    if not 0 <= start <= index < end or start & ((1 << (end - start - 1).bit_length()) - 1):
        raise VerificationError(
            "tlog.inclusion.index", f"Leaf {index} is in no subtree over the leaves {start} to {end}."
        )
    verify_inclusion(index - start, end - start, leaf_hash, proof, range_root)
