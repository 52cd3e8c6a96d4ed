"""Which component of a machine fails within a horizon, from events (errors, replacements, failures) and daily means.

A row is a day of a machine, made at its end from what was known then. It says of each component whether it fails within
the days that follow. Machines are kept whole: one that is judged was never learnt from.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from servitwin.domain.age_replacement import Replacement, best_replacement
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_events import MachineEvents, day_means, usual_days
from servitwin.domain.failure_law import fit
from servitwin.domain.model_book import ModelBook
from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.remaining_life.acting import middle, resampled_rates
from servitwin.domain.remaining_life.forest import Forest

SPANS = (1, 3, 7, 28)  # days over which events are counted
LONG_AGO = 730.0
REASON = 0.3  # more log odds than usual from which on something is told as a reason
FORMAT = 3


class Judgement(msgspec.Struct, frozen=True):
    """How good a model is on machines not learnt from: mean over components of the area under precision over recall.

    Attributes:
        score: of the model; chance: what guessing reaches; failures: judged.
        fresh, incumbent: of the model and of the one in use before it, on days that neither has learnt from; None: they
            look at different things, or there was none.
        fresh_failures: on those days.
        lost: components that the one in use tells of and this one would not.
    """

    score: float
    chance: float
    failures: int
    fresh: float | None = None
    incumbent: float | None = None
    fresh_failures: int = 0
    lost: list[str] = []


class HorizonQuality(msgspec.Struct, frozen=True):
    """How well failures of one component were told on machines not learnt from.

    Attributes:
        days, failures: judged; average_precision: area under precision over recall; base: share of days before a
            failure, which is what chance reaches.
        precision, recall: of alarms at the threshold; a failure is told if an alarm came within the horizon before.
        alarms: how many there were on the machines judged.
        cost: per machine-day of acting on alarms; by_age: of replacing at the best age; at_failure: of waiting.
        cost_range, saved_range: where the cost of acting, and what it saves against the better of the other two, lie
            with 90 % confidence (bootstrap over machines).
        age: days of that age, None: no age is cheaper than waiting.
    """

    days: int
    failures: int
    average_precision: float
    base: float
    precision: float
    recall: float
    alarms: int
    cost: float
    by_age: float
    at_failure: float
    cost_range: list[float]
    saved_range: list[float]
    age: float | None


class HorizonModel(msgspec.Struct, frozen=True):
    """The artefact: for each component trees whose sum is the log odds of a failure within the horizon.

    Attributes:
        bounds: least and largest daily mean of each signal on the machines learnt from; still: most days in a row on
            which one of them had exactly the same mean.
        left_out: machines that could not be used, and why.
        preventive_cost, failure_cost: of a planned replacement and of a failure, in ``currency``; without one they are
            a ratio.
        failures: learnt from, of each component; owners: machines of each party.
        until: of each machine learnt from, the day since 1970 after the last one that taught (0: not known).
        shares: edges of tenths of each signal's mean of two weeks, (signals, 9), for drift.
        announced: of each component, the largest chance within the horizon before each failure, in order, as told by
            trees that had not seen the machine; for drift.
        fleet: what the fleet taught each party with failures enough: area under precision over recall on its own
            machines of this model, and of one learnt from its machines alone.
    """

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
    bounds: list[tuple[float, float]]
    still: list[int]
    left_out: list[Fault]
    preventive_cost: float
    failure_cost: float
    currency: str
    failures: dict[str, int]
    owners: dict[str, int]
    until: dict[str, int]
    shares: list[list[float]]
    announced: dict[str, list[float]]
    judgement: Judgement
    fleet: dict[str, tuple[float, float]] = {}

    def chances(self, machine: MachineEvents) -> dict[str, Floats]:
        """Chance of each component to fail within the horizon, as seen at the end of each day (n,)."""
        rows = day_features(machine, self.signals, self.errors, self.components, self.facts)
        return {c: chance(self.forests[c], rows) for c in self.components}

    def before_failures(self, machine: MachineEvents, since: float) -> list[tuple[float, str, float]]:
        """Failures after ``since`` (days): when, of what, and the largest chance within the horizon before each."""
        rows, found = None, []
        for c in self.components:
            for t in machine.failed.get(c, []):
                days = days_before(len(machine.means), t, self.horizon)
                if t > since and len(days):
                    if rows is None:
                        rows = day_features(machine, self.signals, self.errors, self.components, self.facts)
                    found.append((t, c, float(chance(self.forests[c], rows[days]).max())))
        return found

    def told(self) -> dict[str, Any]:
        """What it was learnt from and how good it is, as plain data."""
        return {
            "machine_type": self.machine_type,
            "horizon_days": self.horizon,
            "signals": self.signals,
            "errors": self.errors,
            "machines": self.machines,
            "failures": self.failures,
            "owners": self.owners,
            "dataset": self.dataset,
            "left_out": msgspec.to_builtins(self.left_out),
            "preventive_cost": self.preventive_cost,
            "failure_cost": self.failure_cost,
            "currency": self.currency,
            "threshold": self.threshold,
            "components": msgspec.to_builtins(self.quality),
            "judgement": msgspec.to_builtins(self.judgement),
            "fleet": {party: list(pair) for party, pair in self.fleet.items()},
        }

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


HorizonBook = ModelBook[HorizonModel, Judgement]  # a model for each machine type, by its name


def read_horizon_book(artefact: bytes) -> HorizonBook:
    """The models in an artefact.

    Raises:
        InvalidInputError: ``horizon:not-a-model``, ``horizon:model-format``.
    """
    try:
        known = msgspec.msgpack.decode(artefact, type=_Format)
        if known.format != FORMAT:
            message = f"The models have format {known.format}, this version reads {FORMAT}"
            raise InvalidInputError(Fault("horizon:model-format", message, "Train them again"))
        return msgspec.msgpack.decode(artefact, type=HorizonBook)
    except msgspec.MsgspecError as e:
        hint = "Give an artefact that failure_horizon made"
        raise InvalidInputError(Fault("horizon:not-a-model", f"These are no models of failures: {e}", hint)) from e


class _Format(msgspec.Struct, frozen=True):
    format: int


def day_features(
    machine: MachineEvents, signals: list[str], errors: list[str], components: list[str], facts: list[str]
) -> Floats:
    """Features (days, columns) at the end of each day; nothing later is looked at."""
    days = len(machine.means)
    end = np.arange(1, days + 1, dtype=np.float64)
    means = day_means(machine, len(signals))
    columns = []
    for j in range(len(signals)):
        value = usual_days(means[:, j])
        known = ~np.isnan(value)
        total = np.concatenate([[0.0], np.cumsum(np.where(known, value, 0.0))])
        count = np.concatenate([[0], np.cumsum(known)])
        for width in (1, 3, 14):
            begin = np.maximum(np.arange(days) + 1 - width, 0)
            columns.append((total[1:] - total[begin]) / np.maximum(count[1:] - count[begin], 1))
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
    """Of each day, whether the component is known to fail within the ``horizon`` days after it."""
    at = np.sort(np.array(machine.failed.get(component, []), np.float64))
    end = np.arange(1, len(machine.means) + 1, dtype=np.float64)
    return np.asarray(np.searchsorted(at, end + horizon) > np.searchsorted(at, end))


def known_days(machine: MachineEvents, horizon: int) -> int:
    """How many days, from the first, are followed by a whole horizon: what comes after the others is not known yet."""
    return max(len(machine.means) - horizon, 0)


def days_before(days: int, failure: float, horizon: int) -> Int64s:
    """The days, of so many, at whose end a failure lies within the horizon."""
    end = np.arange(1, days + 1, dtype=np.float64)
    return np.flatnonzero((end < failure) & (end >= failure - horizon))


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
    """A machine with the chance of one component at the end of each day, by a model that had not seen it.

    The last days, of which nobody knows yet what followed, have none.
    """

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
    """Cost of acting on alarms, how many there were, how many came before a failure, and failures that had none.

    A failure in the last days, which have no chance, makes an alarm right, but is not one that was missed.
    """
    cost, count, right, missed = 0.0, 0, 0, 0
    for j in judged:
        days = alarms(j.chance, threshold, horizon) + 1.0
        at = np.array(j.machine.failed.get(component, []), np.float64)
        at = at[(at > 1) & (at <= len(j.machine.means))]
        told = np.array([((days < t) & (days >= t - horizon)).any() for t in at if t <= len(j.chance)], np.bool_)
        useful = np.array([((at > d) & (at <= d + horizon)).any() for d in days], np.bool_)
        count, right, missed = count + len(days), right + int(useful.sum()), missed + int((~told).sum())
        cost += costs[0] * len(days) + costs[1] * int((~told).sum())
    return cost, count, right, missed


def judge_horizon(
    learnt: list[Judged], held: list[Judged], component: str, horizon: int, costs: tuple[float, float], seed: int
) -> tuple[float, HorizonQuality]:
    """Threshold that costs least on ``learnt`` machines, and what it does on ``held`` ones, against age replacement."""
    scores = np.concatenate([j.chance for j in learnt])
    tried = np.unique(np.quantile(scores, 1 - np.geomspace(1e-4, 0.3, 60)))
    threshold = min(tried.tolist(), key=lambda t: cost_of_alarms(learnt, component, t, horizon, costs)[0])
    cost, count, right, missed = cost_of_alarms(held, component, threshold, horizon, costs)
    true = np.concatenate([fails_soon(j.machine, component, horizon)[: len(j.chance)] for j in held])
    days = len(true)
    past = [lives_of(j.machine, component) for j in learnt]
    law = fit(np.concatenate([p[0] for p in past]), np.concatenate([p[1] for p in past]))
    policy = best_replacement(law, *costs)
    spans = [lives_of(j.machine, component) for j in held]
    each = [sum(1 < t <= len(j.chance) for t in j.machine.failed.get(component, [])) for j in held]
    failures = sum(each)
    at_failure = costs[1] * failures / days
    by_age = at_failure * _by_age(policy, spans, costs)
    seen = [float(len(j.chance)) for j in held]
    acted = [cost_of_alarms([j], component, threshold, horizon, costs)[0] for j in held]
    waited = [costs[1] * count for count in each]
    share = min(by_age, at_failure) / at_failure if at_failure else 1.0
    paid, spared = resampled_rates(acted, seen, seed), share * resampled_rates(waited, seen, seed)
    return threshold, HorizonQuality(
        days, failures, average_precision(np.concatenate([j.chance for j in held]), true), float(true.mean()),
        right / count if count else 0.0, 1 - missed / failures if failures else 0.0, count, cost / days,
        by_age, at_failure, middle(paid), middle(spared - paid), policy.age_h,
    )  # fmt: skip


def _by_age(policy: Replacement, spans: list[tuple[Floats, Bools]], costs: tuple[float, float]) -> float:
    """Cost of replacing at an age as a share of that of waiting, on lives whose beginning is known; else by the law."""
    length, ended = np.concatenate([p[0] for p in spans]), np.concatenate([p[1] for p in spans])
    if policy.age_h is None:
        return 1.0
    if not ended.any():
        return 1 - policy.saving
    early = length > policy.age_h
    rate = (costs[0] * early.sum() + costs[1] * (ended & ~early).sum()) / np.minimum(length, policy.age_h).sum()
    return float(rate / (costs[1] * ended.sum() / length.sum()))
