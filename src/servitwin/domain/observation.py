"""Observations: what a signal was at a time, with who said so and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Int8s = npt.NDArray[np.int8]
UInt8s = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Reserved signals that servitwin itself writes about a twin.
CONNECTION = "_connection"  # text: online | offline; offline starts a gap


class Quality(IntEnum):
    """How far a value may be trusted. ``BAD`` without a value is UNAVAILABLE and starts a gap."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Position(msgspec.Struct, frozen=True, order=True):
    """Place of a row in the streams: unique, and the tie-break after time (time, shard, sequence, index)."""

    shard: int
    seq: int
    idx: int


# A cut names how much of each stream is known: shard -> last sequence included.
Cut = dict[int, int]


class Observation(msgspec.Struct, frozen=True):
    """One value of one signal of one twin. ``value`` None means UNAVAILABLE."""

    time: int
    value: float | str | bool | None
    quality: Quality = Quality.GOOD
    received: int = 0
    replayed: bool = False
    shard: int = 0
    seq: int = 0
    idx: int = 0


@dataclass(slots=True, eq=False)
class Rows:
    """Many observations as columns, the form in which they travel from decoding to history.

    ``twin`` and ``signal`` are codes into ``twins`` (uids) and ``signals`` (names). A row has at most one of
    ``number`` (NaN: none), ``text`` (None: none) and ``flag`` (-1: none); with none of them it is UNAVAILABLE.
    NaN never stands for a value: non-finite input goes to quarantine before it gets here.
    Columns ``text`` and ``flag`` may be None where no row uses them. All arrays have the same length n.
    """

    twins: Sequence[str]
    signals: Sequence[str]
    twin: Int32s
    signal: Int32s
    time: Int64s
    received: Int64s
    number: Floats
    text: list[str | None] | None
    flag: Int8s | None
    quality: UInt8s
    replayed: Bools
    shard: Int32s
    seq: Int64s
    idx: Int32s

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.time)


@dataclass(slots=True, eq=False)
class PackedRows:
    """Rows of m messages that name the same w signals with n samples each, before they are spread out.

    A fifth of the memory of :class:`Rows`; rows are in order (message, signal, sample), all of quality good and not
    replayed. ``text`` and ``flag`` are of single samples of one signal (w = n = 1), one a message.

    Attributes:
        twin, received, seq: one a message, shape (m,).
        signal, place: one a signal, shape (w,); the index of a row is ``place * n + sample``.
        time: shape (m, n).
        number: shape (m, w, n); NaN where the value is a text or a flag.
    """

    twins: Sequence[str]
    signals: Sequence[str]
    twin: Int32s
    signal: Int32s
    place: Int32s
    time: Int64s
    received: Int64s
    number: Floats
    shard: int
    seq: Int64s
    text: list[str | None] | None = None
    flag: Int8s | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return self.number.size

    def view(self, column: str) -> npt.NDArray[np.generic]:
        """A column of :class:`Rows` without its repetitions: what can be broadcast to the shape of ``number``."""
        match column:
            case "twin" | "received" | "seq":
                of_message: npt.NDArray[np.generic] = getattr(self, column)
                return of_message[:, None, None]
            case "signal":
                return self.signal[None, :, None]
            case "time":
                return self.time[:, None, :]
            case "number":
                return self.number
            case "idx":
                n = self.number.shape[2]
                return (self.place[:, None] * np.int32(n) + np.arange(n, dtype=np.int32))[None]
            case "shard":
                return np.full((1, 1, 1), self.shard, np.int32)
            case "quality":
                return np.zeros((1, 1, 1), np.uint8)
            case "replayed":
                return np.zeros((1, 1, 1), np.bool_)
        raise KeyError(column)

    def unpack(self) -> Rows:
        """The rows one by one."""
        spread = {c: np.broadcast_to(self.view(c), self.number.shape).reshape(-1) for c in NUMERIC_COLUMNS}
        return Rows(self.twins, self.signals, text=self.text, flag=self.flag, **spread)

    def of_messages(self, at: npt.NDArray[np.intp]) -> PackedRows:
        """The rows of some messages."""
        return PackedRows(
            self.twins,
            self.signals,
            self.twin[at],
            self.signal,
            self.place,
            self.time[at],
            self.received[at],
            self.number[at],
            self.shard,
            self.seq[at],
            None if self.text is None else [self.text[int(i)] for i in at],
            None if self.flag is None else self.flag[at],
        )


# Columns of Rows that are arrays in every batch.
NUMERIC_COLUMNS = ("twin", "signal", "time", "received", "number", "quality", "replayed", "shard", "seq", "idx")


@dataclass(slots=True, eq=False)
class Series:
    """Observations of one signal of one twin in order (time, shard, seq, idx), the last one of a time holds.

    Exactly one of ``number``, ``text`` and ``flag`` is filled, by the signal's type (``text`` for conditions);
    an UNAVAILABLE row has NaN, None or -1 there. ``cut`` is what was known when it was read.
    """

    twin: str
    signal: str
    time: Int64s
    number: Floats | None
    text: list[str | None] | None
    flag: Int8s | None
    quality: UInt8s
    cut: Cut

    def __len__(self) -> int:
        """Number of observations."""
        return len(self.time)


class Quarantined(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came in and could not be understood: kept whole, with the reason and the place."""

    shard: int
    seq: int
    idx: int
    received: int
    source: str  # topic, URL or file it came by
    twin: str  # twin id as named by the sender, may be unknown or empty
    code: str
    message: str
    where: str = ""  # place in the payload: JSON path or byte offset
    payload: bytes = b""


Aggregation = Literal["mean", "min", "max", "first", "last", "tw_mean", "count", "sum"]


class Bucket(msgspec.Struct, frozen=True):
    """One bucket [start, start+every) of a down-sampled series; None where it holds no value."""

    start: int
    value: float | None
    count: int


class LastValue(msgspec.Struct, frozen=True):
    """The latest observation of a signal (highest (time, shard, seq, idx))."""

    twin: str
    signal: str
    time: int
    received: int
    value: float | str | bool | None
    quality: int


class Backlog(msgspec.Struct, frozen=True):
    """What a job of history's upkeep has still to do; ``seconds``: how long the first of it has waited."""

    files: int
    rows: int
    seconds: float
