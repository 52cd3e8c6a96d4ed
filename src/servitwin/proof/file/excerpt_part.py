"""The excerpt of a proof file: rows of the signals that a formula reads, and what binds them to the log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np

from servitwin.domain.observation import Cut, Floats, Int32s, Int64s, UInt8s
from servitwin.proof.file.columns import ColumnPool
from servitwin.proof.file.joint_path import hidden_of_tree
from servitwin.proof.file.wire import digest, hexes
from servitwin.proof.log.statement import exact_instant


class SignalMeaning(msgspec.Struct, frozen=True):
    """What a signal is: type, UCUM unit, accuracy in that unit, and after how many ns without a word it is unknown."""

    type: Literal["number", "text", "flag", "condition"]
    unit: str = ""
    accuracy: float | None = None
    max_gap: int | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of one signal in one segment, in order (time, sequence, index).

    Attributes:
        time, sequence, index, mark: n values each; ``mark`` as in ``docs/concepts/evidence.md``.
        numbers, flags, texts: values of the rows that have one, in their order.
    """

    time: Int64s
    sequence: Int64s
    index: Int32s
    mark: UInt8s
    numbers: Floats = field(default_factory=lambda: np.empty(0))
    flags: UInt8s = field(default_factory=lambda: np.empty(0, np.uint8))
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class BoundSegment:
    """A segment that the log binds.

    Attributes:
        entry: index of its statement in the log.
        twins: (uid, root of its signals) of all twins in the segment, in the order of the bytes of their uids.
        signals: (name, SHA-256 of its block) of all signals of the twin of the proof, in the order of the bytes of
            their names; empty if it has none here.
        blocks: the rows that are shown, by signal.
    """

    entry: int
    twins: Sequence[tuple[str, bytes]]
    signals: Sequence[tuple[str, bytes]]
    blocks: Mapping[str, Block]


@dataclass(frozen=True, eq=False)
class ShownExcerpt:
    """Observations with begin <= time < end (ns) as known at ``cut``, of one twin.

    ``gaps``: what a source declared; ``states``: (from, to, state), only for a formula that reads the state;
    ``segments``: in the order of the log; those whose rows lie outside may be left out.
    """

    twin: str
    begin: int
    end: int
    cut: Cut
    signals: Mapping[str, SignalMeaning]
    segments: Sequence[BoundSegment]
    gaps: Sequence[tuple[int, int]] = ()
    states: Sequence[tuple[int, int, str]] | None = None


def excerpt_head(excerpt: ShownExcerpt) -> dict[str, Any]:
    """The excerpt without its rows: what was read, of which time, known when."""
    found: dict[str, Any] = {
        "from": exact_instant(excerpt.begin),
        "to": exact_instant(excerpt.end),
        "signals": dict(excerpt.signals),
        "gaps": [[exact_instant(a), exact_instant(b)] for a, b in excerpt.gaps],
        "cut": excerpt.cut,
    }
    if excerpt.states is not None:
        found["states"] = [[exact_instant(a), exact_instant(b), state] for a, b, state in excerpt.states]
    return found


def excerpt_digest(excerpt: ShownExcerpt) -> str:
    """What a ``verdict`` statement names as its excerpt: the rows follow from it, its cut and the log."""
    return digest(excerpt_head(excerpt))


def excerpt_part(excerpt: ShownExcerpt) -> dict[str, Any]:
    """The excerpt as it stands in the file.

    Raises:
        ValueError: if a segment shows rows that its own list of signals does not have.
    """
    pool = ColumnPool()
    rows = {name: _rows(pool, name, excerpt) for name in excerpt.signals}
    segments = [_segment(segment, excerpt) for segment in excerpt.segments]
    return {**excerpt_head(excerpt), "columns": pool.columns, "rows": rows, "segments": segments}


def _rows(pool: ColumnPool, name: str, excerpt: ShownExcerpt) -> dict[str, Any]:
    blocks = [s.blocks[name] for s in excerpt.segments if name in s.blocks]

    def joined(part: str) -> Any:
        return np.concatenate([getattr(b, part) for b in blocks]) if blocks else np.empty(0)

    found: dict[str, Any] = {
        part: pool.whole(joined(part).astype(np.int64)) for part in ("time", "sequence", "index", "mark")
    }
    numbers, flags = joined("numbers").astype(np.float64), joined("flags")
    texts = [text for b in blocks for text in b.texts]
    if len(numbers):
        found["number"] = pool.real(numbers)
    if len(flags):
        found["flag"] = pool.whole(flags.astype(np.int64))
    if texts:
        words = {word: place for place, word in enumerate(dict.fromkeys(texts))}
        found["text"] = pool.whole(np.array([words[t] for t in texts], np.int64))
        found["words"] = list(words)
    return found


def _segment(segment: BoundSegment, excerpt: ShownExcerpt) -> dict[str, Any]:
    uids = [uid.encode() for uid, _ in segment.twins]
    leaves = [_leaf(uid + b"\x00" + root) for uid, (_, root) in zip(uids, segment.twins, strict=True)]
    twin = excerpt.twin.encode()
    if twin not in uids:
        near = _neighbours(uids, twin)
        beside = [{"at": i, "uid": segment.twins[i][0], "root": segment.twins[i][1].hex()} for i in near]
        twins = {"beside": beside, "hashes": hexes(hidden_of_tree(leaves, set(near)))}
        return {"entry": segment.entry, "twins": twins}
    at = uids.index(twin)
    return {
        "entry": segment.entry,
        "twins": {"at": at, "hashes": hexes(hidden_of_tree(leaves, {at}))},
        "signals": _signals(segment, excerpt),
    }


def _signals(segment: BoundSegment, excerpt: ShownExcerpt) -> dict[str, Any]:
    names = [name.encode() for name, _ in segment.signals]
    leaves = [_leaf(name + b"\x00" + block) for name, (_, block) in zip(names, segment.signals, strict=True)]
    places = {name.decode(): place for place, name in enumerate(names)}
    missing = segment.blocks.keys() - places.keys()
    if missing:
        raise ValueError(f"segment {segment.entry} shows rows of {sorted(missing)}, which it does not have")
    rows = {name: [places[name], len(block.time)] for name, block in segment.blocks.items() if name in excerpt.signals}
    near = {i for name in excerpt.signals if name not in places for i in _neighbours(names, name.encode())}
    near -= {place for place, _ in rows.values()}
    beside = [{"at": i, "name": segment.signals[i][0], "digest": segment.signals[i][1].hex()} for i in sorted(near)]
    shown = near | {place for place, _ in rows.values()}
    return {"of": len(names), "rows": rows, "beside": beside, "hashes": hexes(hidden_of_tree(leaves, shown))}


def _neighbours(names: Sequence[bytes], wanted: bytes) -> list[int]:
    """Places just before and just after where a name would be."""
    after = sum(1 for name in names if name < wanted)
    return [i for i in (after - 1, after) if 0 <= i < len(names)]


def _leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()
