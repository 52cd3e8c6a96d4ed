"""Messages of one shape become rows in whole columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, starmap
from operator import attrgetter
from struct import Struct
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.observation import Bools, Floats, Int32s, Int64s, PackedRows
from servitwin.usecases.ingest.columns import Names
from servitwin.usecases.ingest.general import FUTURE_NS
from servitwin.usecases.ingest.shapes import Shape
from servitwin.usecases.ingest.twins import TwinSlot

# Slot, decoded payload, sequence, payload as received, time of receipt, subject.
Fitting = tuple[TwinSlot, Any, int, bytes, int, bytes]
Refuse = Callable[[Fitting], None]
_astuple, _chain, _values = msgspec.structs.astuple, chain.from_iterable, attrgetter("values")


class Columns:
    """Turns groups of messages of one shape into rows; what does not pass goes to ``refuse``."""

    def __init__(self, shard: int, twins: Names, signals: Names) -> None:
        self._shard, self._twins, self._signals = shard, twins, signals

    def take(self, shape: Shape, group: list[Fitting], refuse: Refuse) -> list[PackedRows]:
        """Rows of a group; sessions have been marked by the caller."""
        return self._batches(shape, group, refuse) if shape.batch else self._singles(shape, group, refuse)

    def _singles(self, shape: Shape, group: list[Fitting], refuse: Refuse) -> list[PackedRows]:
        slots, payloads, seqs, _, receipts, _ = zip(*group, strict=True)
        time = shape.times(payloads)
        received = np.array(receipts, np.int64)
        numbers = shape.matrix(payloads)
        bad = _bad_times(time, received, slots) | shape.outside(numbers)
        others: list[tuple[int, list[Any]]] = []
        for place in shape.other_at:
            name = f"v{place}"
            column = [getattr(p.values, name) for p in payloads]
            if not shape.fits_text(place, column):
                bad |= np.array([not shape.fits_text(place, [v]) for v in column])
            others.append((place, column))
        seq = np.array(seqs, np.int64)
        if bad.any():
            for i in np.flatnonzero(bad):
                refuse(group[i])
            good = np.flatnonzero(~bad)
            group = [group[i] for i in good]
            if not group:
                return []
            time, received, numbers, seq = time[good], received[good], numbers[good], seq[good]
            others = [(place, [column[i] for i in good]) for place, column in others]
            slots = tuple(f[0] for f in group)
        codes = np.fromiter((s.code for s in slots), np.int32, len(slots))
        rows = []
        times = time[:, None]
        if shape.number_at:
            places = np.array(shape.number_at, np.int32)
            rows.append(self._packed(codes, shape, places, times, received, numbers[:, :, None], seq))
        for place, column in others:
            none = np.full((len(group), 1, 1), np.nan)
            block = self._packed(codes, shape, np.array([place], np.int32), times, received, none, seq)
            if shape.kinds[place] == "text":
                block.text = column
            else:
                block.flag = np.array(column, np.int8)
            rows.append(block)
        _remember_singles(self._shard, shape, group, time)
        return rows

    def _packed(
        self, codes: Int32s, shape: Shape, places: Int32s, time: Int64s, received: Int64s, numbers: Floats, seq: Int64s
    ) -> PackedRows:
        """One row a value, in order of name: its place must not depend on how the machine ordered its members."""
        return PackedRows(
            self._twins.words,
            self._signals.words,
            codes,
            shape.codes[places],
            places,
            time,
            received,
            numbers,
            self._shard,
            seq,
        )

    def _batches(self, shape: Shape, group: list[Fitting], refuse: Refuse) -> list[PackedRows]:
        """Batches of equal length are one cube of (message, signal, sample)."""
        by_length: dict[int, list[Fitting]] = {}
        width = len(shape.names)
        for f in group:
            n = len(f[1].time)
            if n == 0 or any(len(c) != n for c in _astuple(f[1].values)):
                refuse(f)
            else:
                by_length.setdefault(n, []).append(f)
        rows = []
        places = np.arange(width, dtype=np.int32)
        for n, equal in by_length.items():
            payloads = [f[1] for f in equal]
            # struct packs a list of floats twice as fast as numpy takes them one by one
            pack = Struct(f"{n}d").pack
            columns = _chain(map(_astuple, map(_values, payloads)))
            cube = np.frombuffer(b"".join(starmap(pack, columns)), np.float64).reshape(len(equal), width, n)
            time = shape.times(payloads).reshape(len(equal), n)
            received = np.array([f[4] for f in equal], np.int64)
            slots = [f[0] for f in equal]
            fits = (cube >= shape.low[:, None]) & (cube <= shape.high[:, None]) & np.isfinite(cube)
            bad = ~fits.reshape(len(equal), -1).all(axis=1)
            bad |= _bad_times(time.max(axis=1), received, slots) | _bad_times(time.min(axis=1), received, slots)
            for i in np.flatnonzero(bad):
                refuse(equal[i])
            good = np.flatnonzero(~bad)
            kept = [equal[i] for i in good] if len(good) < len(equal) else equal
            if kept:
                whole = len(kept) == len(equal)
                c, t, r = (cube, time, received) if whole else (cube[good], time[good], received[good])
                codes = np.fromiter((f[0].code for f in kept), np.int32, len(kept))
                seq = np.fromiter((f[2] for f in kept), np.int64, len(kept))
                rows.append(self._packed(codes, shape, places, t, r, c, seq))
                _remember_batches(self._shard, shape, kept, t, c)
        return rows


def _bad_times(time: Int64s, received: Int64s, slots: Sequence[TwinSlot]) -> Bools:
    """Times that need a second look: unreadable, ahead, too early, or before the type that holds now."""
    low = np.fromiter((s.fast_from for s in slots), np.int64, len(slots))
    high = np.fromiter((s.fast_until for s in slots), np.int64, len(slots))
    bad: Bools = (time < low) | (time > received + FUTURE_NS) | (time >= high)
    return bad


def _remember_singles(shard: int, shape: Shape, group: list[Fitting], time: Int64s) -> None:
    """Keep the latest message of each twin for the live state; its values are looked at only when asked for."""
    times = time.tolist()
    slots = [f[0] for f in group]
    if (np.diff(time) >= 0).all():
        latest = dict(zip(slots, range(len(slots)), strict=True))
    else:
        latest = {slots[i]: i for i in np.argsort(time, kind="stable").tolist()}
    for slot, i in latest.items():
        _, payload, seq, _, received, _ = group[i]
        slot.live.keep(shape, times[i], shard, seq, received, payload.values)


def _remember_batches(shard: int, shape: Shape, group: list[Fitting], time: Int64s, cube: Floats) -> None:
    """The same; of equal times the sample with the higher place holds.

    Only that sample is kept: thousands of floats of a batch that wait for the next one would be cold by then, and
    freeing them costs as much as decoding them.
    """
    n = time.shape[1]
    last = n - 1 - np.argmax(time[:, ::-1], axis=1)
    which = np.arange(len(group))
    times, values = time[which, last].tolist(), cube[which, :, last].tolist()
    for i, (slot, _, seq, _, received, _) in enumerate(group):
        slot.live.keep(shape, times[i], shard, seq, received, values[i], int(last[i]), n)
