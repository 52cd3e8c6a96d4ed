"""Do intervals of remaining life hold as often as they say, on engines that no part of the model ever saw?

Run: ``python benchmarks/life_splits.py [FD001 ...] [--partitions 4] [--keep FOLDER]``; hours on a busy machine.

The engines of a training file are parted into five groups, four times over: twenty splits, each keeping a fifth of the
engines out wholly: regimes, trees, networks and calibration come from the other four fifths. Of those, each quarter in
turn is predicted by members that saw only the rest, and those residuals calibrate, exactly as ``learn`` does with four
groups; the engines kept out are predicted by the mean of all four. A member that saw neither group i nor group j serves
the split that keeps out i and the one that keeps out j, which halves the work and changes nothing.

Moments at which engines kept out are judged: ages as in the test file, of which the lengths are read and never a label;
of the engines that reached that age one by chance. A second figure takes moments spread evenly over each life.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import msgspec
import numpy as np
from remaining_life import SETS, lives_of, table

from servitwin.domain.observation import Floats, Int64s
from servitwin.domain.remaining_life.features import features
from servitwin.domain.remaining_life.intervals import calibrate
from servitwin.domain.remaining_life.lives import read_lives
from servitwin.domain.remaining_life.measure import Quality, quality
from servitwin.domain.remaining_life.moments import MOMENTS, Stacked, moments, stack
from servitwin.domain.remaining_life.regimes import find_regimes
from servitwin.services.maintenance.remaining_life_training.grow import grow
from servitwin.services.maintenance.remaining_life_training.learn import FEWEST_SEEN, weighted_mean

GROUPS, CAP, CONFIDENCE = 5, 125.0, 0.9


class Told(msgspec.Struct, frozen=True):
    """One partition: ``group`` of each engine; ``said`` (rows, groups): what members say that saw neither a row's own
    group nor that one (nan: its own)."""

    group: Int64s
    said: Floats


def tell(rows: Stacked, partition: int) -> Told:
    """Train a member set for each pair of groups left out."""
    engines = len(rows.start)
    group = np.random.default_rng(100 + partition).permutation(engines) % GROUPS
    of, target = group[rows.life], np.minimum(rows.remaining, CAP)
    said = np.full((len(of), GROUPS), np.nan)
    for i, j in itertools.combinations(range(GROUPS), 2):
        learnt, judged = (of != i) & (of != j), (of == i) | (of == j)
        regimes = find_regimes(rows.settings[learnt], rows.signals[learnt])
        seen = features(regimes.normal(rows.signals, regimes.of(rows.settings)[0]), rows.start)
        members = grow(seen[learnt], target[learnt], 1000 * partition + GROUPS * i + j)
        one = weighted_mean(members, seen[judged], CAP)
        said[judged, np.where(of[judged] == i, j, i)] = one
    return Told(group, said)


def kept(name: str, rows: Stacked, partition: int, folder: Path | None) -> Told:
    """As :func:`tell`, read again where a folder keeps it."""
    if folder is None:
        return tell(rows, partition)
    path = folder / f"{name}-{partition}.npz"
    if path.is_file():
        with np.load(path) as found:
            return Told(found["group"], found["said"])
    told = tell(rows, partition)
    np.savez_compressed(path, group=told.group, said=told.said)
    return told


def ages_in_test_file(name: str) -> Int64s:
    """Lengths of the test file's engines: how old machines are when they are asked."""
    return np.asarray(np.unique(table(f"test_{name}")[:, 0], return_counts=True)[1])


def as_in_test_file(rows: Stacked, engines: Int64s, ages: Int64s, random: np.random.Generator) -> Int64s:
    """Rows of these engines at ages as in the test file, twelve for each."""
    length = np.diff(np.append(rows.start, len(rows.life)))
    found = []
    for age in random.choice(ages, MOMENTS * len(engines)):
        reached = engines[length[engines] > age]
        if len(reached):
            found.append(rows.start[random.choice(reached)] + age - 1)
    return np.array(found, np.int64)


def judged(rows: Stacked, told: Told, ages: Int64s, partition: int) -> list[tuple[Quality, Quality]]:
    """Of each split of a partition, quality at ages as in the test file and at moments even over each life."""
    true, of = np.minimum(rows.remaining, CAP), told.group[rows.life]
    mean = np.nanmean(told.said, 1)
    found = []
    for i in range(GROUPS):
        random = np.random.default_rng(1000 * partition + i)
        known = moments(rows, FEWEST_SEEN, random)
        known = known[of[known] != i]
        calibration = calibrate(told.said[known, i], true[known])
        engines = np.flatnonzero(told.group == i)
        even = moments(rows, FEWEST_SEEN, random)
        pair = []
        for at in (as_in_test_file(rows, engines, ages, random), even[of[even] == i]):
            low, high = calibration.interval(mean[at], CONFIDENCE, CAP)
            pair.append(quality(len(engines), mean[at], low, high, true[at]))
        found.append((pair[0], pair[1]))
    return found


def line(name: str, found: list[tuple[Quality, Quality]]) -> str:
    """A row of the table."""
    cells = [f"| {name} | {len(found)} "]
    for one in zip(*found, strict=True):
        hold = [q.coverage for q in one]
        near = [q.near_end for q in one if q.near_end is not None]
        rmse, width = np.mean([q.rmse for q in one]), np.mean([q.width for q in one])
        cells.append(f"| {np.mean(hold):.1%} ({min(hold):.0%} to {max(hold):.0%}) | {np.mean(near):.1%} ")
        cells.append(f"| {width:.1f} | {rmse:.2f} ")
    return "".join(cells) + "|"


def main() -> None:
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("sets", nargs="*", default=SETS)
    asks.add_argument("--partitions", type=int, default=4)
    asks.add_argument("--keep", type=Path, help="keep what members said here, and go on from it")
    given = asks.parse_args()
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    print("| set | splits | holds, ages of the test file | near its end | width | RMSE ", end="")
    print("| holds, even over life | near its end | width | RMSE |")
    print("| --- " * 10 + "|")
    for name in given.sets:
        rows, ages = stack(read_lives(lives_of(table(f"train_{name}"))).lives), ages_in_test_file(name)
        found = []
        for partition in range(given.partitions):
            found += judged(rows, kept(name, rows, partition, given.keep), ages, partition)
        print(line(name, found), flush=True)


if __name__ == "__main__":
    main()
