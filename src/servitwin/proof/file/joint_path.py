"""Paths of a Merkle tree (RFC 9162, 2.1) for several leaves at once: the hashes of the subtrees without any of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence


def hidden_of_tree(leaves: Sequence[bytes], shown: set[int]) -> list[bytes]:
    """From the hashes of all leaves: roots of the largest subtrees without a shown leaf, from left to right."""
    found: list[bytes] = []

    def root(first: int, size: int) -> bytes:
        if size == 1:
            return leaves[first]
        half = _half(size)
        return hashlib.sha256(b"\x01" + root(first, half) + root(first + half, size - half)).digest()

    def walk(first: int, size: int) -> None:
        if not any(first <= i < first + size for i in shown):
            found.append(root(first, size))
        elif size > 1:
            half = _half(size)
            walk(first, half)
            walk(first + half, size - half)

    if leaves:
        walk(0, len(leaves))
    return found


def hidden_of_paths(size: int, paths: Mapping[int, Sequence[bytes]]) -> list[bytes]:
    """The same from the inclusion path of each shown leaf (RFC 9162, 2.1.3: from the leaf up) in a tree of ``size``.

    Raises:
        ValueError: if a path is not as long as the tree needs.
    """
    found: list[bytes] = []
    order = sorted(paths)

    def walk(first: int, count: int, inside: list[int], depth: int) -> None:
        if count == 1:
            if len(paths[first]) != depth:
                raise ValueError(f"the path of entry {first} has {len(paths[first])} hashes, the tree needs {depth}")
            return
        half = _half(count)
        left = [i for i in inside if i < first + half]
        right = inside[len(left) :]
        for part, begin, n, other in ((left, first, half, right), (right, first + half, count - half, left)):
            if part:
                walk(begin, n, part, depth + 1)
            else:
                path = paths[other[0]]
                found.append(path[len(path) - 1 - depth])

    if order:
        walk(0, size, order, 0)
    return found


def _half(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1
