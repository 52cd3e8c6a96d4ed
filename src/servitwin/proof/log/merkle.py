"""The Merkle tree of RFC 9162, section 2.1: roots, inclusion and consistency proofs, and how they are checked.

A tree is kept as the hashes of its complete subtrees: ``node(level, place)`` is the hash over the 2^level entries from
``place * 2^level`` on. An append touches one path, a proof reads a few dozen hashes, whatever the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Node = Callable[[int, int], bytes]  # (level, place) -> hash of a complete subtree
EMPTY = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry (2.1.1): ``SHA-256(0x00 || entry)``."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (2.1.1): ``SHA-256(0x01 || left || right)``."""
    return hashlib.sha256(b"\x01" + left + right).digest()


# a tree that grows -------------------------------------------------------------------------------------------


def grow(size: int, leaves: Sequence[bytes], node: Node) -> list[list[bytes]]:
    """Hashes that become complete by appending ``leaves`` to a tree of ``size`` entries: one list a level, in order.

    ``node`` is asked for what was complete before.
    """
    grown: list[list[bytes]] = []
    level, begin, fresh = 0, size, list(leaves)
    while fresh:
        grown.append(fresh)
        # A left brother that had no right one until now is complete already and not among the fresh ones.
        row = [node(level, begin - 1), *fresh] if begin % 2 else fresh
        fresh = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        level, begin = level + 1, begin // 2
    return grown


class MemoryTree:
    """A tree whose hashes lie in memory."""

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        """``leaves``: hashes of the entries (:func:`leaf_hash`)."""
        self._levels: list[list[bytes]] = []
        self.append(leaves)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._levels[0]) if self._levels else 0

    def node(self, level: int, place: int) -> bytes:
        """Hash of a complete subtree."""
        return self._levels[level][place]

    def append(self, leaves: Sequence[bytes]) -> None:
        """Add entries by their hashes."""
        for level, fresh in enumerate(grow(len(self), leaves, self.node)):
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level] += fresh

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` entries; over all without it."""
        return root(len(self) if size is None else size, self.node)


# roots and proofs --------------------------------------------------------------------------------------------


def root(size: int, node: Node) -> bytes:
    """Merkle tree hash of the first ``size`` entries (2.1.1)."""
    return _hash_of(0, size, node) if size else EMPTY


def _hash_of(begin: int, end: int, node: Node) -> bytes:
    """Tree hash of the entries [begin, end); ``begin`` is a multiple of the first power of two that covers them."""
    count = end - begin
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, begin >> level)
    k = _split(count)
    return node_hash(_hash_of(begin, begin + k, node), _hash_of(begin + k, end, node))


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Proof that entry ``index`` is in the tree of the first ``size`` entries (2.1.3.1), from the leaf up.

    Raises:
        ValueError: there is no such entry.
    """
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not among the first {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        k = _split(end - begin)
        if index < begin + k:
            path.append(_hash_of(begin + k, end, node))
            end = begin + k
        else:
            path.append(_hash_of(begin, begin + k, node))
            begin += k
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Proof that the first ``old`` entries of a tree of ``new`` entries are those of the tree it was (2.1.4.1).

    Raises:
        ValueError: ``old`` is beyond ``new`` or negative.
    """
    if not 0 <= old <= new:
        raise ValueError(f"{old} entries cannot become {new}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    begin, end, whole = 0, new, True
    while old != end:
        k = _split(end - begin)
        if old <= begin + k:
            path.append(_hash_of(begin + k, end, node))
            end = begin + k
        else:
            path.append(_hash_of(begin, begin + k, node))
            begin, whole = begin + k, False
    if not whole:
        path.append(_hash_of(begin, end, node))
    return path[::-1]


# checking ----------------------------------------------------------------------------------------------------


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``path`` leads from the leaf's hash at ``index`` to the root of ``size`` entries (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place % 2 or place == last:
            found = node_hash(step, found)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the tree of ``new`` entries grew out of that of ``old`` (2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
