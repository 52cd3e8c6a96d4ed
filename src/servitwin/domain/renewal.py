"""Availability as an alternating renewal process: up and down durations in turn, simulated, never the mean alone.

A machine whose true availability is the promised one misses a yearly promise almost every second year: what a
guarantee costs lies in the spread, which the mean does not show.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from servitwin.domain.failure_law import Bools, Family, Floats, Law, draw

_WARM_CYCLES = 20


class Process:
    """Laws of a machine's up and down times, each with one pair of parameters for each simulated path."""

    def __init__(self, up: Family, up_at: tuple[Floats, Floats], down: Family, down_at: tuple[Floats, Floats]) -> None:
        self.up = up
        self.down = down
        self.up_at = up_at
        self.down_at = down_at

    @staticmethod
    def fixed(up: Law, down: Law, paths: int) -> Process:
        """The same parameters on every path."""
        same = np.ones(paths)
        return Process(
            up.family, (same * up.scale, same * up.shape), down.family, (same * down.scale, same * down.shape)
        )

    @staticmethod
    def uncertain(up: Law, down: Law, draws: int, each: int, random: np.random.Generator) -> Process:
        """``draws`` sets of parameters as uncertain as the data leave them, ``each`` paths of every set."""

        def of(law: Law) -> tuple[Floats, Floats]:
            scale, shape = law.draw_parameters(draws, random)
            return np.repeat(scale, each), np.repeat(shape, each)

        return Process(up.family, of(up), down.family, of(down))

    def __len__(self) -> int:
        """Number of paths."""
        return len(self.up_at[0])


def down_hours(
    process: Process,
    hours: float,
    random: np.random.Generator,
    *,
    start: Literal["up", "down", "stationary"] = "up",
    first_down: float | None = None,
    repair_scale: float = 1.0,
) -> Floats:
    """Hours down within ``hours`` on each path.

    ``stationary`` runs twenty mean cycles before the count begins. ``first_down``: the stop that runs now ends after
    so many hours. ``repair_scale`` multiplies every down time.
    """
    count = len(process)
    warm = 0.0
    if start == "stationary":
        warm = _WARM_CYCLES * float(np.median(process.up_at[0]) + np.median(process.down_at[0]))
    now = np.full(count, -warm)
    down = np.zeros(count)
    index = np.arange(count)
    is_down = start == "down"
    first = first_down
    while len(index):
        if not is_down:
            now[index] += draw(process.up, process.up_at[0][index], process.up_at[1][index], random)
            index = index[now[index] < hours]
        is_down = False
        if not len(index):
            break
        if first is None:
            lasts = draw(process.down, process.down_at[0][index], process.down_at[1][index], random) * repair_scale
        else:
            lasts, first = np.full(len(index), first), None
        begin = now[index]
        now[index] = begin + lasts
        down[index] += np.maximum(0.0, np.minimum(now[index], hours) - np.maximum(begin, 0.0))
        index = index[now[index] < hours]
    return down


def availability_of(process: Process, hours: float, random: np.random.Generator, *, start: str = "up") -> Floats:
    """Availability (0 to 1) over ``hours`` on each path."""
    return 1.0 - down_hours(process, hours, random, start=start) / hours  # type: ignore[arg-type]


def common_down_hours(
    share: float, up: Law, down: Law, hours: float, paths: int, random: np.random.Generator
) -> Floats:
    """Hours down by causes that stop all machines of a site at once: ``share`` of the failures (the beta factor)."""
    events = random.poisson(share * hours / up.mean, paths)
    owner = np.repeat(np.arange(paths), events)
    fixed = (np.full(len(owner), down.scale), np.full(len(owner), down.shape))
    lasts = draw(down.family, *fixed, random)
    return np.bincount(owner, lasts, minlength=paths).clip(max=hours)


def runs(category: Floats, hours: Floats, down: int, up: tuple[int, ...]) -> tuple[Floats, Bools, Floats, Bools]:
    """Up and down durations of one machine from stretches in order: (up, ended, down, ended).

    Stretches of other categories are passed over: the clock stands. The first up time has begun before the
    observation, which makes it as good as new only for a law without memory; it is counted as a whole one.
    """
    ups: list[float] = []
    downs: list[float] = []
    running, stopped = 0.0, 0.0
    for kind, length in zip(category.tolist(), hours.tolist(), strict=True):
        if kind == down:
            if running > 0:
                ups.append(running)
                running = 0.0
            stopped += length
        elif kind in up:
            if stopped > 0:
                downs.append(stopped)
                stopped = 0.0
            running += length
    up_ended = np.ones(len(ups) + (running > 0), np.bool_)
    down_ended = np.ones(len(downs) + (stopped > 0), np.bool_)
    if running > 0:
        ups.append(running)
        up_ended[-1] = False
    if stopped > 0:
        downs.append(stopped)
        down_ended[-1] = False
    return np.array(ups), up_ended, np.array(downs), down_ended
