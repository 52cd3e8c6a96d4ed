"""A load recorder: counts hours, loads and stops of a hoist from its load and motion as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.load_spectrum import Spectrum
from servitwin.domain.observation import Bools, Floats, Int64s, Observation
from servitwin.domain.remaining_life.held_values import expiries, held_on, number_of

MOST_DAYS = 60
MOVING = 1e-6
LONGEST_HOLD = DAY  # nobody lifts for longer without a word from the crane


class RecorderState(msgspec.Struct):
    """What is kept between steps.

    Attributes:
        spectrum: all that was counted; hours of it in which load or motion was not known.
        load, motion: last observation of each; at: instant up to which it has been counted.
        moves, share: whether it moved just before, and with which share of the rated load.
        day: number of the open day since 1970 UTC; open: full-load hours and stops of it; days: those of whole days.
        told: running hours when the state was given out last.
    """

    spectrum: Spectrum = msgspec.field(default_factory=Spectrum)
    unknown_h: float = 0.0
    load: tuple[int, float | None] | None = None
    motion: tuple[int, float | None] | None = None
    at: int | None = None
    moves: bool = False
    share: float = 0.0
    day: int = 0
    open: tuple[float, float] = (0.0, 0.0)
    days: list[tuple[float, float]] = []
    told: float = 0.0


class Recorder:
    """Any split of the same observations counts the same. A value holds for its signal's longest gap, a day at most."""

    def __init__(self, rated_load: float, holds: tuple[int | None, int | None], state: RecorderState | None) -> None:
        self._rated, self.state = rated_load, state or RecorderState()
        self._holds = tuple(min(hold or LONGEST_HOLD, LONGEST_HOLD) for hold in holds)

    def take(
        self, load: Sequence[Observation], motion: Sequence[Observation], watermark: int
    ) -> Iterator[tuple[int, RecorderState]]:
        """Observations before ``watermark`` in order of time; the state at each full hour in which it ran."""
        s = self.state
        new = [[(o.time, number_of(o.value)) for o in rows] for rows in (load, motion)]
        times = [t for rows in new for t, _ in rows]
        if s.at is None:
            if not times:
                return
            s.at = min(times)
            s.spectrum.since, s.day = s.at, s.at // DAY
        over = [
            e
            for before, rows, hold in zip((s.load, s.motion), new, self._holds, strict=True)
            for e in expiries(before, rows, hold)
        ]
        events = np.unique(np.array([s.at, *times, *(e for e in over if s.at < e <= watermark)], np.int64))
        events = events[events >= s.at]
        moves = np.abs(held_on(events, s.motion, new[1], self._holds[1])) > MOVING
        grid = np.unique(np.concatenate([events, _hours(events, moves, watermark)]))
        held = [
            held_on(grid, before, rows, hold)
            for before, rows, hold in zip((s.load, s.motion), new, self._holds, strict=True)
        ]
        if new[0]:
            s.load = new[0][-1]
        if new[1]:
            s.motion = new[1][-1]
        edges = np.concatenate([[0], np.flatnonzero(grid % HOUR == 0), [len(grid) - 1]])
        for first, last in pairwise(edges.tolist()):
            if last > first:
                self._count(grid[first : last + 1], held[0][first : last + 1], held[1][first : last + 1])
            if grid[last] % HOUR == 0 and s.spectrum.running_h > s.told:
                s.told = s.spectrum.running_h
                yield int(grid[last]), s
        s.at = int(grid[-1])

    def _count(self, grid: Int64s, load: Floats, motion: Floats) -> None:
        """Within one hour, and so within one day."""
        s, c = self.state, self.state.spectrum
        day = int(grid[0]) // DAY
        if day != s.day:
            silent = min(day - s.day - 1, MOST_DAYS)
            s.days = [*s.days, s.open, *([(0.0, 0.0)] * silent)][-MOST_DAYS:]
            s.day, s.open = day, (0.0, 0.0)
        hours = np.diff(grid) / HOUR
        share = np.maximum(load, 0.0) / self._rated
        known = ~np.isnan(share[:-1]) & ~np.isnan(motion[:-1])
        moves = known & (np.abs(motion[:-1]) > MOVING)
        cubed = np.where(moves, share[:-1] ** 3, 0.0) * hours
        was = np.concatenate([[s.moves], moves[:-1]])
        carried = np.concatenate([[s.share], share[:-2]])
        stops, starts = was & ~moves & known, ~was & moves
        at_stop = np.where(stops, np.fmax(carried, share[:-1]), 0.0)
        c.running_h += float(hours[moves].sum())
        c.loaded_h += float(cubed.sum())
        c.stops += int(stops.sum())
        c.full_stops += float(at_stop.sum())
        c.over += int((starts & (share[:-1] > 1.0)).sum())
        if moves.any():
            c.heaviest = max(c.heaviest, float(share[:-1][moves].max()))
        s.unknown_h += float(hours[~known].sum())
        s.open = (s.open[0] + float(cubed.sum()), s.open[1] + float(at_stop.sum()))
        s.moves, s.share = bool(moves[-1]), float(np.nan_to_num(share[-2]))
        c.until = int(grid[-1])


def _hours(events: Int64s, moves: Bools, watermark: int) -> Int64s:
    """Full hours at which to stop: each while it moves; of a rest only the first and the last."""
    found: list[int] = []
    for begin, end, moving in zip(events.tolist(), [*events[1:].tolist(), watermark], moves.tolist(), strict=True):
        first, last = (begin // HOUR + 1) * HOUR, end // HOUR * HOUR
        if first <= last:
            found += range(first, last + 1, HOUR) if moving else [first] if end == watermark else [first, last]
    return np.array(found, np.int64)


def by_day(state: RecorderState, which: int) -> Floats:
    """Full-load hours (0) or full-load stops (1) of each whole day but the first, which began with the recorder."""
    return np.array([day[which] for day in state.days[1:]], np.float64)
