"""Stations of a line model from what their machines did: cycle times, stops, repairs, scrap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from servitwin.domain.failure_law import Law, fit
from servitwin.domain.line_model import Duration, Stop, StopKind, measured
from servitwin.domain.oee_counter import Parts
from servitwin.domain.state_time import State, StateInterval

Floats = npt.NDArray[np.float64]
NS = 1e9
ENOUGH_TO_DRAW = 30  # measured durations from which the measured ones themselves are drawn
_OF_STATE: dict[State, StopKind] = {
    State.FAILED: "failure", State.REPAIR: "failure", State.SETUP: "setup", State.STANDBY: "pause",
    State.EXTERNAL: "pause", State.PREVENTIVE: "pause", State.PLANNED_STOP: "pause", State.STARVED: "supply",
    State.BLOCKED: "removal",
}  # fmt: skip
_NAMES: dict[StopKind, str] = {
    "failure": "failure", "setup": "set-up", "pause": "pause", "supply": "waits for supply",
    "removal": "waits for removal",
}  # fmt: skip


class Stops(NamedTuple):
    """Stops of one kind: time at work before each and how long it lasted (s); ended False: cut off by what is known."""

    every: list[float]
    every_ended: list[bool]
    lasting: list[float]
    lasting_ended: list[bool]


def stops_in(intervals: Sequence[StateInterval], kinds: Sequence[StopKind]) -> dict[StopKind, Stops]:
    """Stops of each kind in a machine's time; time of unknown state counts nowhere and cuts what runs.

    Neighbouring intervals of one kind are one stop (failed, then repair).
    """
    found = {k: Stops([], [], [], []) for k in kinds}
    worked = dict.fromkeys(kinds, 0.0)
    now: StopKind | None = None
    lasted = 0.0

    def close(*, ended: bool) -> None:
        nonlocal now, lasted
        if now is not None and now in found:
            found[now].lasting.append(lasted)
            found[now].lasting_ended.append(ended)
        now, lasted = None, 0.0

    for interval in intervals:
        seconds = interval.duration / NS
        if interval.state is State.UNKNOWN:
            close(ended=False)
            continue
        kind = _OF_STATE.get(interval.state)
        if kind != now:
            close(ended=True)
            if kind is not None and kind in found:
                found[kind].every.append(worked[kind])
                found[kind].every_ended.append(True)
                worked[kind] = 0.0
            now = kind
        if kind is not None:
            lasted += seconds
        elif interval.state is State.PRODUCING:
            for k in worked:
                worked[k] += seconds
    close(ended=False)
    for kind, seconds in worked.items():
        if seconds > 0:
            found[kind].every.append(seconds)
            found[kind].every_ended.append(False)
    return found


def fitted_stop(kind: StopKind, pooled: Sequence[Stops]) -> tuple[Stop | None, str]:
    """A stop with its laws from several machines' stops, and in words what was found or assumed."""
    every = [v for s in pooled for v in s.every]
    ended = [v for s in pooled for v in s.every_ended]
    lasting = [v for s in pooled for v in s.lasting]
    over = [v for s in pooled for v in s.lasting_ended]
    count, hours = sum(ended), sum(every) / 3600
    name = _NAMES[kind]
    if not count or not any(v > 0 for v in lasting):
        return None, f"no {name} in {hours:.0f} h at work: none is simulated"
    between = _duration(fit(np.array(every) / 3600, np.array(ended)))
    if between.mean <= 0:  # one stop after the other: they have no work between them
        return None, f"{name}: no time at work was seen between {count} of them"
    done = [v for v, e in zip(lasting, over, strict=True) if e and v > 0]
    if len(done) >= ENOUGH_TO_DRAW:
        takes = measured(done, f"{len(done)} measured")
    else:
        takes = _duration(fit(np.array(lasting) / 3600, np.array(over)))
    return Stop(name, between, takes, kind), f"{name}: {count} in {hours:.0f} h at work ({between.note})"


def _duration(law: Law) -> Duration:
    """A law of hours as one of seconds."""
    return Duration(law.family, law.scale * 3600, law.shape, note=law.note)


class WorkClock:
    """Seconds at work (state producing) up to an instant."""

    def __init__(self, intervals: Sequence[StateInterval]) -> None:
        spans = [(i.start, i.end) for i in intervals if i.state is State.PRODUCING]
        self._edges = np.array([edge for span in spans for edge in span], np.float64)
        lengths = np.array([(b - a) / NS for a, b in spans], np.float64)
        self._seconds = np.repeat(np.concatenate([[0.0], np.cumsum(lengths)]), 2)[1:-1]

    def until(self, times: npt.NDArray[np.int64]) -> Floats:
        """Seconds at work before each instant (ns)."""
        if not len(self._edges):
            return np.zeros(len(times))
        return np.asarray(np.interp(times.astype(np.float64), self._edges, self._seconds), np.float64)


def cycles(parts: Parts, intervals: Sequence[StateInterval]) -> dict[str, list[float]]:
    """Seconds at work for each part, by the product in work when it was counted (``""``: not known).

    Reports of several parts at once count as so many equal cycles; a part without any time at work is left out (it
    was made while the state was not known).
    """
    clock, counts = WorkClock(intervals), parts.made
    found: dict[str, list[float]] = {}
    if len(counts.time) < 2:
        return found
    # From rise to rise, not from report to report: a counter is told again and again while it stands.
    worked = np.diff(clock.until(counts.time))
    for time, seconds, amount in zip(counts.time.tolist(), worked.tolist(), counts.amount[1:].tolist(), strict=False):
        n = int(amount)
        if n >= 1 and seconds / n > 0.01:
            found.setdefault(parts.product_at(time), []).extend([seconds / n] * min(n, 1000))
    return found


def lots(products: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Products in turn with their usual lot, from the product of each part in order; the first and last run are cut."""
    runs: list[tuple[str, int]] = []
    for product in products:
        if runs and runs[-1][0] == product:
            runs[-1] = (product, runs[-1][1] + 1)
        else:
            runs.append((product, 1))
    whole = runs[1:-1] or runs
    sizes: dict[str, list[int]] = {}
    for product, size in whole:
        sizes.setdefault(product, []).append(size)
    return tuple((p, max(1, round(sum(s) / len(s)))) for p, s in sizes.items())
