"""Merkle trees of RFC 9162, 2.1: hashes, inclusion of several leaves at once, and consistency of two heads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from .refusal import RefusedError

EMPTY = hashlib.sha256(b"").digest()


def leaf(content: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root of a whole tree, from the hashes of its leaves in order."""
    stack: list[tuple[int, bytes]] = []  # perfect subtrees from left to right: (leaves, root)
    for hashed in leaves:
        stack.append((1, hashed))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, node(left, right)))
    if not stack:
        return EMPTY
    root = stack.pop()[1]
    while stack:
        root = node(stack.pop()[1], root)
    return root


def root_from(shown: Mapping[int, bytes], size: int, hidden: list[bytes], where: str) -> bytes:
    """Root of a tree of which some leaves are shown.

    ``shown``: index -> hash of the leaf. ``hidden``: the root of each largest subtree without a shown leaf, from left
    to right. The tree over n leaves is cut at the largest power of two below n (RFC 9162, 2.1.1).

    Raises:
        RefusedError: ``proof:path-wrong`` if there are too many or too few hashes, or an index is outside.
    """
    order = sorted(shown)
    if order and not 0 <= order[0] <= order[-1] < size:
        raise RefusedError("proof:path-wrong", "a shown leaf lies outside of the tree", where)
    if not order:
        raise RefusedError("proof:path-wrong", "no leaf is shown", where)
    rest = iter(hidden)
    root = _subtree(shown, order, 0, size, rest, where)
    if next(rest, None) is not None:
        raise RefusedError("proof:path-wrong", "there are more hashes than the tree needs", where)
    return root


def _subtree(
    shown: Mapping[int, bytes], order: list[int], first: int, size: int, rest: Iterator[bytes], where: str
) -> bytes:
    """Root of the leaves [first, first + size); ``order``: the indexes shown among them."""
    if not order:
        found = next(rest, None)
        if found is None:
            raise RefusedError("proof:path-wrong", "there are fewer hashes than the tree needs", where)
        return found
    if size == 1:
        return shown[first]
    half = 1 << (size - 1).bit_length() - 1
    split = next((i for i, index in enumerate(order) if index >= first + half), len(order))
    left = _subtree(shown, order[:split], first, half, rest, where)
    return node(left, _subtree(shown, order[split:], first + half, size - half, rest, where))


def consistent(old_size: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> bool:
    """Whether the tree of ``old_size`` leaves is the beginning of the tree of ``size`` (RFC 9162, 2.1.4.2)."""
    if old_size == size:
        return old_root == root and not path
    if not 0 < old_size < size:
        return False
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not hashes:
        return False
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = hashes[0]
    for c in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node(c, old), node(c, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node(new, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == old_root and new == root
