"""Records of lives to learn from: rows of settings and signals of each machine, from new to its failure or to now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Bools, Floats
from servitwin.domain.remaining_life.regimes import find_regimes

FEWEST_FAILURES = 10
FEWEST_ROWS = 5
JUMP = 2.5  # standard deviations in its regime by which no signal's level changes from one five rows to the next
FEW_VALUES = 5
KEPT_OUT = 5  # one machine in so many is never learnt from


class LifeRecord(msgspec.Struct, frozen=True):
    """One machine as it comes in. ``rows``: settings, then signals, a row per unit of life; null: not measured.

    ``failed``: the last row is the last before the failure; else the machine is still running (a censored life).
    ``owner``: party that uses the machine.
    """

    id: str
    failed: bool
    rows: list[list[float | None]]
    owner: str = ""


class LifeSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set to learn from, as it comes in.

    Attributes:
        machine_type, component: what it is about; ``life_unit``: what a row is (``cycle``, ``h``, ``part``).
        settings, signals: names of the columns; units: UCUM unit of each signal, where known.
        cap: beyond so much remaining life nothing is told apart; predictions say "at least".
        confidence: of the intervals.
        folds: machines are split into so many groups; each is predicted by a model that has not seen it.
        keep_out: keep one machine in five out altogether, to judge by.
        preventive_cost, failure_cost: of a planned replacement and of a failure, where known, in ``currency``
            (empty: a ratio).
        incumbent: the artefact in use, base64: its model of this component is judged on the same machines.
    """

    machine_type: str
    signals: list[str]
    machines: list[LifeRecord]
    component: str = ""
    life_unit: str = "cycle"
    settings: list[str] = []
    units: dict[str, str] = {}
    cap: float = 125.0
    confidence: float = 0.9
    folds: int = 5
    keep_out: bool = True
    preventive_cost: float | None = None
    failure_cost: float | None = None
    currency: str = ""
    incumbent: str = ""


class Life(msgspec.Struct, frozen=True):
    """A checked life: settings (n, k), signals (n, d), remaining life of each row (None: the machine still runs)."""

    id: str
    owner: str
    settings: Floats
    signals: Floats
    failed: bool

    @property
    def length(self) -> int:
        """Rows."""
        return len(self.signals)

    @property
    def remaining(self) -> Floats:
        """Rows that follow each row before the failure; of a machine that still runs: at least so many."""
        return np.arange(self.length - 1, -1, -1, dtype=np.float64)


class Lives(msgspec.Struct, frozen=True):
    """Lives that can be learnt from, those that were left out with why, and a digest of all that came in."""

    about: LifeSet
    lives: list[Life]
    left_out: list[Fault]
    digest: str

    @property
    def failed(self) -> list[Life]:
        """Those that ran to failure."""
        return [life for life in self.lives if life.failed]


def read_lives(dataset: Mapping[str, Any]) -> Lives:
    """Check a set and bring it into arrays.

    Raises:
        InvalidInputError: all that makes it useless: its shape, too few failures, a column that gives the answer away.
    """
    try:
        about = msgspec.convert(dataset, LifeSet)
    except msgspec.ValidationError as e:
        raise InvalidInputError(
            Fault("life:wrong-shape", str(e), "Give machine_type, signals and machines with their rows", "dataset")
        ) from e
    faults = _faults(about)
    if faults:
        raise InvalidInputError(faults)
    lives, left_out = [], []
    for record in about.machines:
        life, fault = _life(about, record)
        if life is not None:
            lives.append(life)
        if fault is not None:
            left_out.append(fault)
    lives, odd = _without_odd_sensors(about, lives)
    left_out += odd
    failures = sum(life.failed for life in lives)
    if failures < FEWEST_FAILURES:
        hint = (
            "Gather more, or plan by age (age replacement) until there are"
            if failures
            else ("Nothing was seen to fail: a law of life cannot be learnt, only that lives are longer than this")
        )
        faults.append(
            Fault("life:too-few-failures", f"{failures} machines ran to failure, {FEWEST_FAILURES} are needed", hint,
                  "machines")
        )  # fmt: skip
    else:
        faults += _leaks(about, [life for life in lives if life.failed])
    if faults:
        raise InvalidInputError([*faults, *left_out])
    raw = msgspec.json.encode(msgspec.structs.replace(about, incumbent=""), order="deterministic")
    return Lives(about, lives, left_out, "sha256:" + hashlib.sha256(raw).hexdigest())


def is_kept_out(machine: str) -> bool:
    """Whether a machine is among those that no model ever learns from; the same for all models and data sets."""
    return int(hashlib.sha256(machine.encode()).hexdigest(), 16) % KEPT_OUT == 0


def _faults(about: LifeSet) -> list[Fault]:
    faults = []
    if not about.signals:
        faults.append(Fault("life:no-signals", "No signal is named", "Name the signals of the columns", "signals"))
    names = [*about.settings, *about.signals]
    faults += [
        Fault("life:column-twice", f"Column {n!r} is named twice", "Give each column a name of its own", "signals")
        for n in sorted({n for n in names if names.count(n) > 1})
    ]
    seen: set[str] = set()
    for m in about.machines:
        if m.id in seen:
            hint = "Name each machine once; a machine that was renewed begins another life under another name"
            faults.append(Fault("life:machine-twice", f"Machine {m.id!r} comes twice", hint, m.id))
        seen.add(m.id)
        wrong = next((i for i, row in enumerate(m.rows) if len(row) != len(names)), None)
        if wrong is not None:
            message = f"Row {wrong} of {m.id!r} has {len(m.rows[wrong])} values, {len(names)} columns are named"
            faults.append(Fault("life:row-length", message, "Give each row the settings, then the signals", m.id))
    costs = (about.preventive_cost, about.failure_cost)
    if (costs[0] is None) != (costs[1] is None) or any(c is not None and not c > 0 for c in costs):
        hint = "Give both above zero, or neither"
        faults.append(Fault("life:costs", f"The costs are {costs[0]} and {costs[1]}", hint, "preventive_cost"))
    for name, value, low, high in (
        ("cap", about.cap, 1, 1e9), ("confidence", about.confidence, 0.5, 0.99), ("folds", about.folds, 2, 20),
    ):  # fmt: skip
        if not low <= value <= high:
            faults.append(Fault("life:out-of-range", f"{name} is {value}", f"From {low} to {high}", name))
    return faults


def _life(about: LifeSet, record: LifeRecord) -> tuple[Life | None, Fault | None]:
    rows = np.array([[np.nan if v is None else v for v in row] for row in record.rows], np.float64)
    if len(rows) < FEWEST_ROWS:
        hint = f"At least {FEWEST_ROWS} rows of life are needed"
        return None, Fault("life:too-short", f"{record.id!r} has {len(rows)} rows and was left out", hint, record.id)
    if (np.abs(rows) > 1e100).any() or np.isinf(rows).any():
        hint = "Give numbers that were measured"
        return None, Fault("life:absurd-value", f"{record.id!r} holds absurd values and was left out", hint, record.id)
    empty = [n for n, column in zip([*about.settings, *about.signals], rows.T, strict=True) if np.isnan(column).all()]
    if empty:
        message = f"{record.id!r} never measured {', '.join(empty)} and was left out"
        return None, Fault("life:signal-missing", message, "Leave the signal out for all, or measure it", record.id)
    filled = held(rows)
    k = len(about.settings)
    return Life(record.id, record.owner, filled[:, :k], filled[:, k:], record.failed), None


def held(rows: Floats) -> Floats:
    """Rows in which what was not measured is the last value known, or the first to come at the beginning."""
    known = ~np.isnan(rows)
    last = np.maximum.accumulate(np.where(known, np.arange(len(rows))[:, None], -1), 0)
    first = known.argmax(0)
    return np.asarray(np.take_along_axis(rows, np.where(last < 0, first, last), 0))


def longest_still(values: Floats) -> int:
    """Most rows in a row that carry exactly the same value."""
    changes = np.flatnonzero(np.diff(values) != 0)
    edges = np.concatenate([[-1], changes, [len(values) - 1]])
    return int(np.diff(edges).max())


def _without_odd_sensors(about: LifeSet, lives: list[Life]) -> tuple[list[Life], list[Fault]]:
    """Leave out lives with a sensor that is stuck, or whose unit changes half-way, against all other machines."""
    if len(lives) < FEWEST_FAILURES:
        return lives, []
    odd: dict[str, Fault] = {}
    for j, name in enumerate(about.signals):
        still = np.array([longest_still(life.signals[:, j]) for life in lives])
        length = np.array([life.length for life in lives])
        usual = float(np.quantile(still, 0.8))
        if usual < 0.2 * float(np.median(length)):
            for life, run in zip(lives, still, strict=True):
                if run > max(20, 5 * usual):
                    message = f"{name!r} of {life.id!r} stood still for {run} rows and its life was left out"
                    hint = f"Elsewhere it is still for {usual:.0f} rows at most: look at the sensor"
                    odd.setdefault(life.id, Fault("life:sensor-stuck", message, hint, f"{life.id}.{name}"))
    rows = np.concatenate([np.concatenate([life.settings, life.signals], 1) for life in lives])
    k = len(about.settings)
    regimes = find_regimes(rows[:, :k], rows[:, k:])
    reached = [levels(regimes.normal(life.signals, regimes.of(life.settings)[0])) for life in lives]
    for at, j in enumerate(regimes.used):
        if len(np.unique(rows[:, k + j])) <= FEW_VALUES:
            continue  # a flag or a step is meant to jump
        jump, bottom, top = np.array([level[:, at] for level in reached]).T
        usual = float(np.quantile(jump, 0.8))
        beyond = beyond_others(bottom, top)
        name = about.signals[j]
        for life, size, alone in zip(lives, jump, beyond, strict=True):
            if size > max(JUMP, 4 * usual) and alone:  # wear that ends fast stays where others have been
                message = f"{name!r} of {life.id!r} changes by {size:.1f} standard deviations at once: left out"
                hint = "Its unit or its sensor was changed half-way: convert the earlier rows"
                odd.setdefault(life.id, Fault("life:unit-changed", message, hint, f"{life.id}.{name}"))
    return [life for life in lives if life.id not in odd], list(odd.values())


def levels(values: Floats) -> Floats:
    """Of each column of (n, d): its largest jump between medians of five rows, and the least and largest of them."""
    if len(values) < 12:
        middle = np.median(values, 0)
        return np.stack([np.zeros(values.shape[1]), middle, middle])
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, 5, axis=0), 2)
    return np.stack([np.abs(medians[5:] - medians[:-5]).max(0), medians.min(0), medians.max(0)])


def beyond_others(bottom: Floats, top: Floats) -> Bools:
    """Of each life, whether it goes beyond all others by a good part of their range."""
    found = np.zeros(len(top), np.bool_)
    for i in range(len(top)):
        others = np.arange(len(top)) != i
        low, high = float(bottom[others].min()), float(top[others].max())
        margin = 0.5 * (high - low)
        found[i] = bottom[i] < low - margin or top[i] > high + margin
    return found


def _leaks(about: LifeSet, failed: list[Life]) -> list[Fault]:
    """Columns that tell the remaining life as no measurement can: the label, a countdown, or a flag of its end."""
    remaining = np.concatenate([life.remaining for life in failed])
    own = remaining < min(about.cap, float(remaining.max()) + 1)
    names = [*about.settings, *about.signals]
    rows = np.concatenate([np.concatenate([life.settings, life.signals], 1) for life in failed])
    faults = []
    for name, column in zip(names, rows.T, strict=True):
        part, left = column[own], remaining[own]
        if len(np.unique(part)) <= 3:
            if flags_the_end(column, remaining):
                message = f"{name!r} changes at the same remaining life on every machine"
                hint = "It was made from the failure, and will not be known before: leave it out"
                faults.append(Fault("life:label-leaks", message, hint, name))
            continue
        rank = abs(float(np.corrcoef(ranks(part), ranks(left))[0, 1]))
        if rank > 0.999:
            message = f"{name!r} is the remaining life itself, or made from it (rank correlation {rank:.4f})"
            hint = "It will not be known before the failure: leave it out"
            faults.append(Fault("life:label-leaks", message, hint, name))
    return faults


def flags_the_end(column: Floats, remaining: Floats) -> bool:
    """Whether some horizon of more than one row parts the values of a column without a single exception."""
    values = np.unique(column)
    if len(values) < 2:
        return False
    for value in values:
        inside = column == value
        edge = remaining[inside].max()
        if 1 <= edge < remaining.max() and not (remaining[~inside] <= edge).any():
            return True
    return False


def ranks(values: Floats) -> Floats:
    """Mean rank of each value."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse])
