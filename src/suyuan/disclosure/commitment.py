"""The salted commitment to an event: 32 bytes that bind every claim and reveal none.

- The salt of a claim is the first 16 bytes of HMAC-SHA256(secret, "suyuan-salt/v1\\0" || u64 position); the
  secret is 32 random bytes of the event. 128 bits are RFC 9901's floor.
- A claim's digest is an RFC 6962 leaf hash: SHA-256(0x00 || "suyuan-claim/v1\\0" || salt || claim bytes).
- Dummy digests, HMAC-SHA256(secret, "suyuan-dummy/v1\\0" || u64 number), fill the count up to the next power
  of two, at least 16, so that the count tells no more than a size class.
- The digests in ascending order are the leaves of an RFC 6962 tree: the order says nothing about positions.
- The commitment is SHA-256("suyuan-commitment/v1\\0" || u32 count || root).

Claims are disclosed with their salts and one proof for all of them: the hashes that a verifier cannot compute
itself, level by level from the leaves, from left to right. Whoever lacks secret and body can neither test a
guess nor tell whether two events share a claim; deleting both erases the event and leaves the log whole.

Of an event with more than 256 leaves the tree is kept in *claim tiles* (256 hashes each, cut as the log's
tiles are), so that a claim is found and proved from two or three of them.
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import msgspec

from suyuan.canon import JSON
from suyuan.disclosure.claims import Claim, all_claim_bytes, claim_bytes, claims_of
from suyuan.errors import InputError, NotFoundError, TooLargeError, VerificationError
from suyuan.tlog.merkle import HASH_SIZE, Node, node_hash, parent_hashes
from suyuan.tlog.tile import TILE_HEIGHT, TILE_WIDTH, tile_reader

SALT_BYTES = 16
SECRET_BYTES = 32
MIN_COUNT = 16
MAX_COUNT = 1 << 24
_SALT_DOMAIN = b"suyuan-salt/v1\0"
_DUMMY_DOMAIN = b"suyuan-dummy/v1\0"
_LEAF_PREFIX = b"\x00suyuan-claim/v1\0"
_COMMITMENT_DOMAIN = b"suyuan-commitment/v1\0"
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_FIRST_NUMBERS = [number.to_bytes(8, "big") for number in range(1024)]
_Copy: TypeAlias = "Callable[[], hashlib._Hash]"


class ClaimTile(NamedTuple):
    """Up to 256 hashes of one level of a claim tree; ``first`` is the first claim digest below the tile."""

    level: int
    n: int
    first: bytes
    hashes: bytes


class Commitment(NamedTuple):
    """A commitment with what it was made of: ``digests`` ascending, dummies among them."""

    commitment: bytes
    claim_count: int
    digests: list[bytes]

    def tiles(self) -> list[ClaimTile]:
        """The claim tiles of an event with more than 256 leaves; none for a smaller one."""
        if self.claim_count <= TILE_WIDTH:
            return []
        tiles: list[ClaimTile] = []
        row, level = self.digests, 0
        while len(row) > 1:
            for start in range(0, len(row), TILE_WIDTH):
                first = self.digests[start << (TILE_HEIGHT * level)]
                hashes = b"".join(row[start : start + TILE_WIDTH])
                tiles.append(ClaimTile(level, start // TILE_WIDTH, first, hashes))
            for _ in range(TILE_HEIGHT):
                row = parent_hashes(row)
            level += 1
        return tiles


class DisclosedClaim(msgspec.Struct, frozen=True):
    """A claim that is shown: with its salt, and where its digest stands among the sorted leaves."""

    path: str
    value: JSON
    salt: bytes
    leaf_index: int


class DisclosedEvent(msgspec.Struct, frozen=True):
    """Some claims of an event and the proof that they belong to its commitment."""

    commitment: bytes
    claim_count: int
    claims: tuple[DisclosedClaim, ...]
    proof: tuple[bytes, ...]

    def values(self, path: str) -> list[JSON]:
        """The values that are disclosed under this path."""
        return [claim.value for claim in self.claims if claim.path == path]


def padded_count(claims: int) -> int:
    """Leaves of a tree over this many claims. Raises ``TooLargeError`` (``commitment.too_many_claims``)."""
    if claims > MAX_COUNT:
        raise TooLargeError("commitment.too_many_claims", f"An event has at most {MAX_COUNT} claims.")
    return max(MIN_COUNT, 1 << (claims - 1).bit_length()) if claims else MIN_COUNT


def claim_salt(secret: bytes, position: int) -> bytes:
    """The salt of the claim at this position."""
    return hmac.digest(secret, _SALT_DOMAIN + position.to_bytes(8, "big"), "sha256")[:SALT_BYTES]


def salted_digest(path: str, value: JSON, salt: bytes) -> bytes:
    """The digest of a claim under its salt."""
    return hashlib.sha256(_LEAF_PREFIX + salt + claim_bytes(path, value)).digest()


def commit(body: Mapping[str, JSON], statement: Mapping[str, JSON], secret: bytes) -> Commitment:
    """The commitment to an event under its secret.

    Raises ``InputError`` (``canon.*``, ``disclosure.body.malformed``, ``commitment.secret``) and
    ``TooLargeError`` (``commitment.too_many_claims``).
    """
    digests = _digests(all_claim_bytes(body, statement), secret)
    digests.sort()
    return Commitment(_seal(len(digests), _root(digests)), len(digests), digests)


def disclose(
    body: Mapping[str, JSON],
    statement: Mapping[str, JSON],
    secret: bytes,
    wanted: Callable[[Claim], bool] | Collection[int],
) -> DisclosedEvent:
    """Some claims of an event, chosen by their positions or by a predicate, with their proof.

    Computes the whole tree; where there are tiles, ``disclose_from_tiles`` is the quick way. Raises as
    ``commit``, and ``InputError`` (``commitment.nothing_disclosed``) where no claim is chosen.
    """
    claims = claims_of(body, statement)
    chosen = [claim for claim in claims if (wanted(claim) if callable(wanted) else claim.position in wanted)]
    made = commit(body, statement, secret)
    places = {digest: index for index, digest in enumerate(made.digests)}
    rows = [made.digests]
    while len(rows[-1]) > 1:
        rows.append(parent_hashes(rows[-1]))

    def read(nodes: Sequence[Node]) -> list[bytes]:
        return [rows[node.level][node.n] for node in nodes]

    indices = [places[claim_digest(claim, secret)] for claim in chosen]
    return _disclosed(chosen, indices, secret, made.commitment, made.claim_count, read)


def claim_digest(claim: Claim, secret: bytes) -> bytes:
    """The digest of a claim of the event with this secret."""
    return salted_digest(claim.path, claim.value, claim_salt(secret, claim.position))


def find_tile(firsts: Sequence[bytes], digest: bytes) -> int:
    """Number of the level-0 tile that can hold ``digest``, from the tiles' first digests in order."""
    return max(0, bisect_right(firsts, digest) - 1)


def claim_proof_from_tiles(
    digests: Sequence[bytes], count: int, tiles: Mapping[tuple[int, int], bytes]
) -> tuple[list[int], tuple[bytes, ...]]:
    """Leaf indices of these digests and the proof of all of them, from claim tiles keyed by (level, n).

    Needed are the level-0 tiles that hold the digests (``find_tile``) and, above each, one tile a level
    (n // 256 of the tile below it). Raises ``NotFoundError`` (``commitment.claim.absent``,
    ``tlog.tile.absent``).
    """
    indices = [_place(digest, tiles) for digest in digests]
    read = tile_reader(tiles)
    return indices, tuple(read(_proof_nodes(sorted(set(indices)), count)))


def disclose_from_tiles(
    claims: Sequence[Claim],
    secret: bytes,
    commitment: bytes,
    count: int,
    tiles: Mapping[tuple[int, int], bytes],
) -> DisclosedEvent:
    """These claims of an event with their proof, read from its claim tiles.

    Raises as ``claim_proof_from_tiles``, and ``InputError`` (``commitment.nothing_disclosed``).
    """
    digests = [claim_digest(claim, secret) for claim in claims]
    indices = [_place(digest, tiles) for digest in digests]
    return _disclosed(claims, indices, secret, commitment, count, tile_reader(tiles))


def verify_disclosed(event: DisclosedEvent) -> None:
    """Check that the disclosed claims belong to the commitment.

    Raises ``VerificationError`` (``commitment.malformed``, ``commitment.proof``, ``commitment.root``). That
    the commitment stands in the log is not shown here: the inclusion proof of its leaf shows it.
    """
    count, claims = event.claim_count, event.claims
    if not MIN_COUNT <= count <= MAX_COUNT or count & (count - 1):
        raise VerificationError("commitment.malformed", "The count of claims is not one of a size class.")
    indices = [claim.leaf_index for claim in claims]
    if not indices or indices[0] < 0 or indices[-1] >= count or not _ascending(indices):
        raise VerificationError("commitment.malformed", "The disclosed claims are not in order.")
    if any(len(claim.salt) != SALT_BYTES for claim in claims):
        raise VerificationError("commitment.malformed", f"A salt has {SALT_BYTES} bytes.")
    if any(len(hash_) != HASH_SIZE for hash_ in event.proof):
        raise VerificationError("commitment.malformed", "A hash of the proof has 32 bytes.")
    known = {claim.leaf_index: salted_digest(claim.path, claim.value, claim.salt) for claim in claims}
    if _seal(count, _root_from_proof(known, count, event.proof)) != event.commitment:
        raise VerificationError("commitment.root", "The disclosed claims do not belong to the commitment.")


def _digests(entries: list[bytes], secret: bytes) -> list[bytes]:
    """Digests of all claims and dummies, in the order of positions."""
    if len(secret) != SECRET_BYTES:
        raise InputError("commitment.secret", f"The secret of an event has {SECRET_BYTES} bytes.")
    count = padded_count(len(entries))
    salt, finish = _keyed(secret, _SALT_DOMAIN)
    dummy, _ = _keyed(secret, _DUMMY_DOMAIN)
    sha256, prefix = hashlib.sha256, _LEAF_PREFIX
    digests: list[bytes] = []
    for number, entry in zip(_numbers(len(entries)), entries, strict=True):
        inner, outer = salt(), finish()
        inner.update(number)
        outer.update(inner.digest())
        digests.append(sha256(prefix + outer.digest()[:SALT_BYTES] + entry).digest())
    for number in _numbers(count - len(entries)):
        inner, outer = dummy(), finish()
        inner.update(number)
        outer.update(inner.digest())
        digests.append(outer.digest())
    return digests


def _keyed(secret: bytes, domain: bytes) -> tuple[_Copy, _Copy]:
    """Prepared inner and outer states of HMAC-SHA256(secret, domain || ...), to be copied for each message.

    Spelled out (RFC 2104), since that is three times as fast as ``hmac.digest``; its two loops are written out
    as well, for a call each would cost as much as the hashing.
    """
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(block.translate(_INNER_PAD) + domain)
    return inner.copy, hashlib.sha256(block.translate(_OUTER_PAD)).copy


def _numbers(count: int) -> Iterable[bytes]:
    """The numbers below ``count`` as u64."""
    if count <= len(_FIRST_NUMBERS):
        return _FIRST_NUMBERS[:count]
    return (number.to_bytes(8, "big") for number in range(count))


def _root(digests: list[bytes]) -> bytes:
    row, sha256 = digests, hashlib.sha256
    while len(row) > 1:  # the count is a power of two: every hash has its sibling
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return row[0]


def _seal(count: int, root: bytes) -> bytes:
    return hashlib.sha256(_COMMITMENT_DOMAIN + count.to_bytes(4, "big") + root).digest()


def _place(digest: bytes, tiles: Mapping[tuple[int, int], bytes]) -> int:
    for (level, n), hashes in tiles.items():
        if level == 0 and (at := _find_aligned(hashes, digest)) >= 0:
            return n * TILE_WIDTH + at
    raise NotFoundError("commitment.claim.absent", "No tile at hand holds the claim.")


def _find_aligned(hashes: bytes, digest: bytes) -> int:
    at = hashes.find(digest)
    while at >= 0 and at % HASH_SIZE:
        at = hashes.find(digest, at + 1)
    return at // HASH_SIZE if at >= 0 else -1


def _disclosed(
    claims: Sequence[Claim],
    indices: Sequence[int],
    secret: bytes,
    commitment: bytes,
    count: int,
    read: Callable[[Sequence[Node]], Sequence[bytes]],
) -> DisclosedEvent:
    if not claims:
        raise InputError(
            "commitment.nothing_disclosed", "At least one claim is disclosed, or none is proved."
        )
    shown = sorted(
        (
            DisclosedClaim(claim.path, claim.value, claim_salt(secret, claim.position), index)
            for claim, index in zip(claims, indices, strict=True)
        ),
        key=lambda claim: claim.leaf_index,
    )
    nodes = _proof_nodes([claim.leaf_index for claim in shown], count)
    return DisclosedEvent(commitment, count, tuple(shown), tuple(read(nodes)))


def _proof_nodes(indices: Iterable[int], count: int) -> list[Node]:
    """The nodes that a verifier of these leaves cannot compute, in the order of the proof."""
    nodes: list[Node] = []
    known = list(indices)
    for level in range(count.bit_length() - 1):
        have = set(known)
        nodes.extend(Node(level, index ^ 1) for index in known if index ^ 1 not in have)
        known = sorted({index >> 1 for index in known})
    return nodes


def _root_from_proof(known: dict[int, bytes], count: int, proof: Sequence[bytes]) -> bytes:
    rest = iter(proof)
    for _ in range(count.bit_length() - 1):
        above: dict[int, bytes] = {}
        for index, hash_ in known.items():
            if index >> 1 in above:
                continue
            sibling = known.get(index ^ 1)
            if sibling is None:
                sibling = next(rest, b"")
            above[index >> 1] = node_hash(sibling, hash_) if index & 1 else node_hash(hash_, sibling)
        known = above
    if next(rest, None) is not None:
        raise VerificationError("commitment.proof", "The proof of the claims has too many hashes.")
    return known[0]


def _ascending(indices: Sequence[int]) -> bool:
    return all(left < right for left, right in pairwise(indices))
