"""Bound observations: blocks, leaves, trees of twins and the root of a segment (docs/concepts/evidence.md).

Rows come as columns. What costs per row is done by numpy; per series there are a few updates of one hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Bools, Floats, Int8s, Int32s, Int64s, UInt8s
from servitwin.proof.log.merkle import EMPTY, MemoryTree, inclusion, leaf_hash

REPLAYED = 1 << 2
NUMBER, TEXT, FLAG = 1 << 4, 2 << 4, 3 << 4


@dataclass(slots=True, eq=False)
class SegmentRows:
    """Rows of one shard, in any order. Codes are places in the lists of words.

    Attributes:
        time: event time, ns UTC.
        seq: sequence in the stream; ``idx``: place within the message.
        quality: 0 good, 1 uncertain, 2 bad.
        number: NaN where the row has no number.
        text: code into ``texts``, -1 where the row has none.
        flag: 0 or 1, -1 where the row has none.
        received: when the gateway took it, ns UTC; it is not bound.
    """

    twins: Sequence[str]
    signals: Sequence[str]
    texts: Sequence[str]
    twin: Int32s
    signal: Int32s
    time: Int64s
    seq: Int64s
    idx: Int32s
    quality: UInt8s
    replayed: Bools
    number: Floats
    text: Int32s
    flag: Int8s
    received: Int64s

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.time)


@dataclass(frozen=True, slots=True)
class BoundSignal:
    """A signal in a segment: its name, the digest of its block, and where its rows lie among the sorted ones."""

    name: str
    digest: bytes
    begin: int
    end: int

    @property
    def leaf(self) -> bytes:
        """Hash of ``name || 0x00 || SHA-256(block)``."""
        return signal_leaf(self.name, self.digest)


@dataclass(frozen=True, slots=True)
class BoundTwin:
    """A twin in a segment with its signals in the order of their names' bytes, and the root over them."""

    uid: str
    signals: tuple[BoundSignal, ...]
    root: bytes


def signal_leaf(name: str, digest: bytes) -> bytes:
    """Leaf of a signal: hash of ``name || 0x00 || digest of its block``."""
    return leaf_hash(name.encode() + b"\x00" + digest)


def twin_leaf(uid: str, root: bytes) -> bytes:
    """Leaf of a twin: hash of ``uid || 0x00 || root of its signals``."""
    return leaf_hash(uid.encode() + b"\x00" + root)


class Segment:
    """The trees over the rows of a segment."""

    def __init__(self, rows: SegmentRows) -> None:
        self._rows = rows
        self._columns = _Columns(rows)
        self.twins: tuple[BoundTwin, ...] = tuple(self._bind())

    @cached_property
    def _tree(self) -> MemoryTree:
        return MemoryTree([twin_leaf(t.uid, t.root) for t in self.twins])

    @property
    def root(self) -> bytes:
        """Root over the twins; that of an empty tree where there are no rows."""
        return self._tree.root() if self.twins else EMPTY

    @property
    def span(self) -> tuple[int, int]:
        """Event time (ns UTC) of the first row, and the instant after the last; (0, 0) without rows."""
        time = self._rows.time
        return (int(time.min()), int(time.max()) + 1) if len(time) else (0, 0)

    def block(self, signal: BoundSignal) -> bytes:
        """The block of a signal as it is hashed."""
        return b"".join(self._columns.parts(signal.begin, signal.end))

    def path(self, place: int) -> list[bytes]:
        """Inclusion proof of the twin at that place in the segment's tree."""
        return inclusion(place, len(self.twins), self._tree.node)

    def _bind(self) -> Iterator[BoundTwin]:
        columns, rows = self._columns, self._rows
        if not len(rows):
            return
        series, uids, names = columns.series, columns.uids, columns.names
        edges = [0, *(np.flatnonzero(np.diff(series)) + 1).tolist(), len(series)]
        firsts = series[edges[:-1]].tolist()
        width = len(names)
        signals: list[BoundSignal] = []
        for k, code in enumerate(firsts):
            begin, end = edges[k], edges[k + 1]
            digest = hashlib.sha256()
            for part in columns.parts(begin, end):
                digest.update(part)
            signals.append(BoundSignal(names[code % width], digest.digest(), begin, end))
            if k + 1 == len(firsts) or firsts[k + 1] // width != code // width:
                yield BoundTwin(uids[code // width], tuple(signals), MemoryTree([s.leaf for s in signals]).root())
                signals = []


class _Columns:
    """Rows sorted by (twin, signal, time, sequence, index), each column as the bytes that go into blocks."""

    def __init__(self, rows: SegmentRows) -> None:
        self.uids, twin = _ranked(rows.twins, rows.twin)
        self.names, signal = _ranked(rows.signals, rows.signal)
        series = twin * len(self.names) + signal
        order = _order(series, rows)
        self.series = series[order]
        has_number = ~np.isnan(rows.number[order])
        has_text = rows.text[order] >= 0
        has_flag = rows.flag[order] >= 0
        if bool(((has_number & has_text) | (has_number & has_flag) | (has_text & has_flag)).any()):
            raise ValueError("a row has values of two types")
        mark = (rows.quality[order] & 3).astype(np.uint8)
        mark |= np.where(rows.replayed[order], REPLAYED, 0).astype(np.uint8)
        mark |= (has_number * NUMBER + has_text * TEXT + has_flag * FLAG).astype(np.uint8)
        self._time = _raw(rows.time[order], "<i8")
        self._seq = _raw(rows.seq[order], "<i8")
        self._idx = _raw(rows.idx[order], "<i4")
        self._mark = _raw(mark, "u1")
        self._numbers = _raw(rows.number[order][has_number], "<f8")
        self._flags = _raw(rows.flag[order][has_flag], "u1")
        self._number_at, self._flag_at, self._text_at = (_places(h) for h in (has_number, has_flag, has_text))
        self._texts = rows.text[order][has_text]
        self._words: dict[int, bytes] = {}
        self._word_list = rows.texts

    def parts(self, begin: int, end: int) -> Iterator[bytes | memoryview]:
        """The block of the rows [begin, end), column by column."""
        yield (end - begin).to_bytes(4, "little")
        yield self._time[8 * begin : 8 * end]
        yield self._seq[8 * begin : 8 * end]
        yield self._idx[4 * begin : 4 * end]
        yield self._mark[begin:end]
        first, last = self._number_at(begin), self._number_at(end)
        if last > first:
            yield self._numbers[8 * first : 8 * last]
        first, last = self._flag_at(begin), self._flag_at(end)
        if last > first:
            yield self._flags[first:last]
        first, last = self._text_at(begin), self._text_at(end)
        if last > first:
            yield b"".join(map(self._word, self._texts[first:last].tolist()))

    def _word(self, code: int) -> bytes:
        known = self._words.get(code)
        if known is None:
            text = self._word_list[code].encode("utf-8", "surrogatepass")
            known = self._words[code] = len(text).to_bytes(4, "little") + text
        return known


def _ranked(words: Sequence[str], codes: Int32s) -> tuple[list[str], Int64s]:
    """The words in use by their bytes, and codes into them; a word that is there twice has one code."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(words))).tolist() if len(codes) else []
    ordered = sorted({words[i] for i in used}, key=lambda w: w.encode())
    place = {w: i for i, w in enumerate(ordered)}
    translate = np.zeros(max(len(words), 1), dtype=np.int64)
    translate[used] = [place[words[i]] for i in used]
    return ordered, translate[codes]


def _order(series: Int64s, rows: SegmentRows) -> npt.NDArray[np.intp]:
    """Places in order of (series, time, sequence, index). Rows mostly come so within a series: then one pass does."""
    small = series.astype(np.uint16) if len(series) and int(series.max()) < 1 << 16 else series
    order = np.argsort(small, kind="stable")
    inside = np.diff(series[order]) == 0
    time, seq, idx = (np.diff(c[order].astype(np.int64)) for c in (rows.time, rows.seq, rows.idx))
    behind = (time < 0) | ((time == 0) & ((seq < 0) | ((seq == 0) & (idx < 0))))
    if bool((inside & behind).any()):
        return np.lexsort((rows.idx, rows.seq, rows.time, series))
    return order


def _places(mask: Bools) -> Callable[[int], int]:
    """How many rows before a place have a value of that type."""
    count = np.concatenate(([0], np.cumsum(mask)))
    if count[-1] in (0, len(mask)):  # none or all, as a rule: no list of them
        return (lambda place: place) if count[-1] else (lambda place: 0)
    found: list[int] = count.tolist()
    return found.__getitem__


def _raw(column: npt.NDArray[Any], kind: str) -> memoryview:
    return memoryview(np.ascontiguousarray(column, dtype=kind).tobytes())
