"""Which component of a machine fails within a horizon, from events (errors, replacements, failures) and daily means.

A row is a day of a machine, made at its end from what was known then. It says of each component whether it fails within
the days that follow. Machines are kept whole: one that is judged was never learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.age_replacement import best_replacement
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_law import fit
from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.remaining_life.forest import Forest

FEWEST_FAILURES = 10
SPANS = (1, 3, 7, 28)  # days over which events are counted
LONG_AGO = 730.0
REASON = 0.3  # more log odds than usual from which on something is told as a reason
FORMAT = 1


class MachineEvents(msgspec.Struct, frozen=True):
    """A machine over whole days, the first is day 0. Events are at days with fractions, also before day 0.

    ``means``: a row of daily means of the signals per day (null: not measured); ``facts``: numbers of the machine.
    """

    id: str
    means: list[list[float | None]]
    errors: dict[str, list[float]] = {}
    replaced: dict[str, list[float]] = {}
    failed: dict[str, list[float]] = {}
    facts: dict[str, float] = {}
    owner: str = ""


class EventSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set to learn from. ``horizon``: days; costs of a planned replacement and of a failure, in one currency."""

    machine_type: str
    components: list[str]
    signals: list[str]
    machines: list[MachineEvents]
    errors: list[str] = []
    facts: list[str] = []
    horizon: int = 2
    preventive_cost: float = 1.0
    failure_cost: float = 5.0
    folds: int = 5


class HorizonQuality(msgspec.Struct, frozen=True):
    """How well failures of one component were told on machines not learnt from.

    Attributes:
        days, failures: judged; average_precision: area under precision over recall; base: share of days before a
            failure, which is what chance reaches.
        precision, recall: of alarms at the threshold; a failure is told if an alarm came within the horizon before.
        cost: per machine-day of acting on alarms; by_age: of replacing at the best age; at_failure: of waiting.
        age: days of that age, None: no age is cheaper than waiting.
    """

    days: int
    failures: int
    average_precision: float
    base: float
    precision: float
    recall: float
    cost: float
    by_age: float
    at_failure: float
    age: float | None


class HorizonModel(msgspec.Struct, frozen=True):
    """The artefact: for each component trees whose sum is the log odds of a failure within the horizon."""

    machine_type: str
    components: list[str]
    signals: list[str]
    errors: list[str]
    facts: list[str]
    horizon: int
    forests: dict[str, list[Forest]]
    threshold: dict[str, float]
    quality: dict[str, HorizonQuality]
    machines: int
    dataset: str
    format: int = FORMAT

    def chances(self, machine: MachineEvents) -> dict[str, Floats]:
        """Chance of each component to fail within the horizon, as seen at the end of each day (n,)."""
        rows = day_features(machine, self.signals, self.errors, self.components, self.facts)
        return {c: chance(self.forests[c], rows) for c in self.components}

    def reasons(self, machine: MachineEvents, component: str) -> list[str]:
        """What speaks for a failure of a component at the end of the last day, the strongest first, as sentences."""
        rows = day_features(machine, self.signals, self.errors, self.components, self.facts)[-1:]
        names = feature_labels(self.signals, self.errors, self.components, self.facts)
        now = _odds(self.forests[component], rows)
        found = []
        for what, columns in _groups(self.signals, self.errors, self.components).items():
            usual = rows.copy()
            usual[0, columns] = _usual(rows[0], names, columns)
            more = float((now - _odds(self.forests[component], usual))[0])
            if more > REASON:
                found.append((more, _words(what, rows[0], names, columns)))
        return [words for _, words in sorted(found, key=lambda f: -f[0])][:5]


def chance(forests: list[Forest], rows: Floats) -> Floats:
    """Mean chance over trees fitted to different machines."""
    return np.asarray(np.mean([1 / (1 + np.exp(-np.clip(f.predict(rows), -40, 40))) for f in forests], 0))


def _odds(forests: list[Forest], rows: Floats) -> Floats:
    return np.asarray(np.mean([f.predict(rows) for f in forests], 0))


def _groups(signals: list[str], errors: list[str], components: list[str]) -> dict[str, list[int]]:
    """Columns of :func:`day_features` that belong to one signal, error or renewal."""
    found, at = {}, 0
    for kind, names, width in (("mean", signals, 3), ("error", errors, len(SPANS)), ("renewed", components, 1)):
        for name in names:
            found[f"{kind}:{name}"] = list(range(at, at + width))
            at += width
    return found


def _usual(row: Floats, names: list[str], columns: list[int]) -> list[float]:
    """As if nothing had happened: no error, the mean of two weeks, just renewed."""
    if names[columns[0]].startswith("days since"):
        return [0.0]
    return [float(row[columns[-1]])] * 3 if "mean of" in names[columns[0]] else [0.0] * len(columns)


def _words(what: str, row: Floats, names: list[str], columns: list[int]) -> str:
    kind, _, name = what.partition(":")
    if kind == "error":
        return f"{name} came {int(row[columns[1]])} times in {SPANS[1]} days"
    if kind == "renewed":
        return f"{name} was renewed {row[columns[0]]:.0f} days ago"
    return f"{name} was {row[columns[0]]:.4g} yesterday, {row[columns[-1]]:.4g} over two weeks"


def read_horizon_model(artefact: bytes) -> HorizonModel:
    """The model in an artefact.

    Raises:
        InvalidInputError: ``horizon:not-a-model``.
    """
    try:
        model = msgspec.msgpack.decode(artefact, type=HorizonModel)
    except msgspec.MsgspecError as e:
        hint = "Give an artefact that failure_horizon made"
        raise InvalidInputError(Fault("horizon:not-a-model", f"This is no model of failures: {e}", hint)) from e
    if model.format != FORMAT:
        raise InvalidInputError(
            Fault("horizon:not-a-model", f"The model has format {model.format}, not {FORMAT}", "Train it again")
        )
    return model


def read_events(dataset: Mapping[str, Any]) -> EventSet:
    """Check a set.

    Raises:
        InvalidInputError: all that is wrong: its shape, names that are not declared, too few failures.
    """
    try:
        found = msgspec.convert(dataset, EventSet)
    except msgspec.ValidationError as e:
        hint = "Give machine_type, components, signals and machines with daily means and events"
        raise InvalidInputError(Fault("horizon:wrong-shape", str(e), hint, "dataset")) from e
    faults = []
    ids = [m.id for m in found.machines]
    faults += [
        Fault("horizon:machine-twice", f"Machine {i!r} comes twice", "Name each machine once", i)
        for i in sorted({i for i in ids if ids.count(i) > 1})
    ]
    for m in found.machines:
        if any(len(row) != len(found.signals) for row in m.means):
            message = f"A day of {m.id!r} has not {len(found.signals)} means"
            faults.append(Fault("horizon:row-length", message, "Give each day a mean of each signal", m.id))
        for what, names, known in (
            ("component", {*m.replaced, *m.failed}, found.components), ("error", set(m.errors), found.errors),
        ):  # fmt: skip
            strange = sorted(names - set(known))
            if strange:
                message = f"{m.id!r} has a {what} {strange[0]!r} that is not declared"
                faults.append(Fault("horizon:not-declared", message, f"Name it among the {what}s", m.id))
    for c in found.components:
        count = sum(len(m.failed.get(c, [])) for m in found.machines)
        if count < FEWEST_FAILURES:
            message = f"{c!r} failed {count} times, {FEWEST_FAILURES} failures are needed"
            hint = "Gather more, or plan by age until there are"
            faults.append(Fault("horizon:too-few-failures", message, hint, c))
    if not (found.preventive_cost > 0 and found.failure_cost > 0 and 1 <= found.horizon <= 90 and found.folds >= 2):
        hint = "Costs above zero, a horizon of 1 to 90 days, at least two folds"
        faults.append(Fault("horizon:out-of-range", "Costs, horizon or folds are out of range", hint, "horizon"))
    if faults:
        raise InvalidInputError(faults)
    return found


def day_features(
    machine: MachineEvents, signals: list[str], errors: list[str], components: list[str], facts: list[str]
) -> Floats:
    """Features (days, columns) at the end of each day; nothing later is looked at."""
    days = len(machine.means)
    end = np.arange(1, days + 1, dtype=np.float64)
    means = np.array([[np.nan if v is None else v for v in row] for row in machine.means], np.float64)
    means = means.reshape(days, len(signals))
    columns = []
    for j in range(len(signals)):
        known = means[:, j]
        typical = float(np.nanmedian(known)) if not np.isnan(known).all() else 0.0
        filled = np.where(np.isnan(known), typical, known)
        total = np.concatenate([[0.0], np.cumsum(filled)])
        for width in (1, 3, 14):
            begin = np.maximum(np.arange(days) + 1 - width, 0)
            columns.append((total[1:] - total[begin]) / (np.arange(days) + 1 - begin))
    for e in errors:
        at = np.sort(np.array(machine.errors.get(e, []), np.float64))
        columns += [np.searchsorted(at, end) - np.searchsorted(at, end - span) for span in SPANS]
    for c in components:
        columns.append(_since(machine.replaced.get(c, []) + machine.failed.get(c, []), end))
    columns += [np.full(days, machine.facts.get(f, 0.0)) for f in facts]
    return np.column_stack(columns).astype(np.float64) if columns else np.zeros((days, 0))


def feature_labels(signals: list[str], errors: list[str], components: list[str], facts: list[str]) -> list[str]:
    """Names of the columns of :func:`day_features`."""
    names = [f"{s}, mean of {w} days" for s in signals for w in (1, 3, 14)]
    names += [f"{e} in {span} days" for e in errors for span in SPANS]
    return names + [f"days since {c} was renewed" for c in components] + list(facts)


def fails_soon(machine: MachineEvents, component: str, horizon: int) -> Bools:
    """Of each day, whether the component fails within the ``horizon`` days after it."""
    at = np.sort(np.array(machine.failed.get(component, []), np.float64))
    end = np.arange(1, len(machine.means) + 1, dtype=np.float64)
    return np.asarray(np.searchsorted(at, end + horizon) > np.searchsorted(at, end))


def _since(times: list[float], end: Floats) -> Floats:
    at = np.sort(np.array(times, np.float64))
    k = np.searchsorted(at, end, side="left") - 1
    return np.where(k >= 0, end - (at[np.maximum(k, 0)] if len(at) else 0.0), LONG_AGO)


def lives_of(machine: MachineEvents, component: str) -> tuple[Floats, Bools]:
    """Days from each renewal to the next, and whether a failure ended it; the last one is still running."""
    end = float(len(machine.means))
    failed = {round(t, 6) for t in machine.failed.get(component, [])}
    events = sorted({round(t, 6) for t in machine.replaced.get(component, [])} | failed)
    edges = [*events, end] if events else [0.0, end]
    length = np.diff(np.array(edges))
    ended = np.array([t in failed for t in edges[1:-1]] + [False])
    return length[length > 0], ended[length > 0]


def average_precision(score: Floats, true: Bools) -> float:
    """Area under the precision-recall curve as the sum over steps of recall (Davis and Goadrich 2006)."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(true[order])
    if not hits[-1]:
        return 0.0
    precision = hits / np.arange(1, len(hits) + 1)
    return float((precision * true[order]).sum() / hits[-1])


class Judged(msgspec.Struct, frozen=True):
    """A machine with the chance of one component at the end of each day, by a model that had not seen it."""

    machine: MachineEvents
    chance: Floats


def alarms(score: Floats, threshold: float, horizon: int) -> Int64s:
    """Days of alarms; an alarm is acted on, and none follows within the horizon."""
    found: list[int] = []
    for day in np.flatnonzero(score >= threshold).tolist():
        if not found or day - found[-1] >= horizon:
            found.append(day)
    return np.array(found, np.int64)


def cost_of_alarms(
    judged: list[Judged], component: str, threshold: float, horizon: int, costs: tuple[float, float]
) -> tuple[float, int, int, int]:
    """Cost of acting on alarms, how many there were, how many came before a failure, and failures that had none."""
    cost, count, right, missed = 0.0, 0, 0, 0
    for j in judged:
        days = alarms(j.chance, threshold, horizon) + 1.0
        at = np.array(j.machine.failed.get(component, []), np.float64)
        at = at[(at > 1) & (at <= len(j.machine.means))]
        told = np.array([((days < t) & (days >= t - horizon)).any() for t in at], np.bool_)
        useful = np.array([((at > d) & (at <= d + horizon)).any() for d in days], np.bool_)
        count, right, missed = count + len(days), right + int(useful.sum()), missed + int((~told).sum())
        cost += costs[0] * len(days) + costs[1] * int((~told).sum())
    return cost, count, right, missed


def judge_horizon(
    learnt: list[Judged], held: list[Judged], component: str, horizon: int, costs: tuple[float, float]
) -> tuple[float, HorizonQuality]:
    """Threshold that costs least on ``learnt`` machines, and what it does on ``held`` ones, against age replacement."""
    scores = np.concatenate([j.chance for j in learnt])
    tried = np.unique(np.quantile(scores, 1 - np.geomspace(1e-4, 0.3, 60)))
    threshold = min(tried.tolist(), key=lambda t: cost_of_alarms(learnt, component, t, horizon, costs)[0])
    cost, count, right, missed = cost_of_alarms(held, component, threshold, horizon, costs)
    true = np.concatenate([fails_soon(j.machine, component, horizon) for j in held])
    days = len(true)
    past = [lives_of(j.machine, component) for j in learnt]
    law = fit(np.concatenate([p[0] for p in past]), np.concatenate([p[1] for p in past]))
    age = best_replacement(law, *costs).age_h
    spans = [lives_of(j.machine, component) for j in held]
    length, ended = np.concatenate([p[0] for p in spans]), np.concatenate([p[1] for p in spans])
    limit = age if age is not None else np.inf
    early = length > limit
    by_age = (costs[0] * early.sum() + costs[1] * (ended & ~early).sum()) / np.minimum(length, limit).sum()
    failures = sum(t > 1 for j in held for t in j.machine.failed.get(component, []))
    return threshold, HorizonQuality(
        days, failures, average_precision(np.concatenate([j.chance for j in held]), true), float(true.mean()),
        right / count if count else 0.0, 1 - missed / failures if failures else 0.0, cost / days, float(by_age),
        float(costs[1] * ended.sum() / length.sum()), age,
    )  # fmt: skip
