"""Showing some of a segment: chosen signals of chosen twins with what leads to the root, and nothing of the others."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.log.head import hash_of
from servitwin.proof.log.merkle import MemoryTree, is_included
from servitwin.proof.log.segment import Segment, signal_leaf, twin_leaf

_LARGEST_BLOCK = 1 << 28


class ShownSignal(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A signal by its block (zlib, base64), or by the digest of its block (hex) where it is not shown."""

    signal: str
    block: str = ""
    digest: str = ""


class ShownTwin(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A twin at its place in the segment's tree, with all of its signals, or the root over them where none is shown.

    A twin that is not in the segment is shown by its neighbours: twins are in the order of their uids' bytes.
    """

    twin: str
    place: int
    path: tuple[str, ...]
    signals: tuple[ShownSignal, ...] = ()
    root: str = ""


class Disclosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is shown of a segment that has ``twins`` twins."""

    twins: int
    shown: tuple[ShownTwin, ...]


def disclose(segment: Segment, wanted: Mapping[str, Sequence[str] | None]) -> Disclosure:
    """Show signals of twins (uid -> names; None: all); of a twin without rows its neighbours prove that it has none."""
    places = {t.uid: n for n, t in enumerate(segment.twins)}
    neighbours: set[int] = set()
    for uid in wanted:
        if uid not in places:
            after = sum(t.uid.encode() < uid.encode() for t in segment.twins)
            neighbours |= {n for n in (after - 1, after) if 0 <= n < len(segment.twins)}
    shown = []
    for place, twin in enumerate(segment.twins):
        path = tuple(h.hex() for h in segment.path(place)) if twin.uid in wanted or place in neighbours else ()
        if twin.uid in wanted:
            names = wanted[twin.uid]
            signals = tuple(
                ShownSignal(s.name, block=base64.b64encode(zlib.compress(segment.block(s), 6)).decode())
                if names is None or s.name in names
                else ShownSignal(s.name, digest=s.digest.hex())
                for s in twin.signals
            )
            shown.append(ShownTwin(twin.uid, place, path, signals))
        elif place in neighbours:
            shown.append(ShownTwin(twin.uid, place, path, root=twin.root.hex()))
    return Disclosure(len(segment.twins), tuple(shown))


def disclosed(shown: Disclosure, root: bytes, twins: int, wanted: Sequence[str]) -> dict[str, dict[str, bytes]]:
    """Blocks that a disclosure shows, by twin and signal, once it is checked against a segment's root.

    Args:
        shown: what somebody gave.
        root: the root that the log binds.
        twins: how many twins the log says there are.
        wanted: uids that must be shown, or proved to have no rows.

    Raises:
        InvalidInputError: ``segment:differs`` with what does not fit.
    """
    if shown.twins != twins:
        raise _differs(f"{shown.twins} twins are shown, {twins} are bound")
    found: dict[str, dict[str, bytes]] = {}
    places: dict[str, int] = {}
    for twin in shown.shown:
        blocks = {s.signal: _unpacked(s.block) for s in twin.signals if s.block}
        names = [s.signal.encode() for s in twin.signals]
        if any(a >= b for a, b in pairwise(names)):
            raise _differs(f"the signals of {twin.twin} are not in order")
        leaves = [
            signal_leaf(s.signal, _sha256(blocks[s.signal]) if s.block else hash_of(s.digest)) for s in twin.signals
        ]
        inner = MemoryTree(leaves).root() if leaves else hash_of(twin.root)
        path = [hash_of(h) for h in twin.path]
        if not is_included(twin_leaf(twin.twin, inner), twin.place, twins, path, root):
            raise _differs(f"the rows of {twin.twin} are not those that were bound")
        places[twin.twin] = twin.place
        if leaves:
            found[twin.twin] = blocks
    for uid in wanted:
        if uid not in found and not _is_absent(uid, places, twins):
            raise _differs(f"the rows of {uid} are left out")
    return found


def _is_absent(uid: str, places: Mapping[str, int], twins: int) -> bool:
    """Whether the neighbours of a twin stand side by side, so that there is no place for it between them."""
    if not twins:
        return True
    before = [p for u, p in places.items() if u.encode() < uid.encode()]
    after = [p for u, p in places.items() if u.encode() > uid.encode()]
    return uid not in places and max(before, default=-1) + 1 == min(after, default=twins)


def _unpacked(block: str) -> bytes:
    try:
        unpack = zlib.decompressobj()
        content = unpack.decompress(base64.b64decode(block, validate=True), _LARGEST_BLOCK)
    except (ValueError, binascii.Error, zlib.error) as e:
        raise _differs(f"a block cannot be read: {e}") from None
    if not unpack.eof or unpack.unused_data:
        raise _differs("a block is cut off or too long")
    return content


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _differs(message: str) -> InvalidInputError:
    return InvalidInputError(Fault("segment:differs", message, "The observations are not what the log binds"))
