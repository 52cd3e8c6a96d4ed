"""Learn a model: trees for each component over groups of machines, each machine judged by trees that never saw it."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from servitwin.domain.failure_events import EventSet, MachineEvents, day_means, usable_machines
from servitwin.domain.failure_horizon import (
    HorizonModel,
    Judged,
    Judgement,
    average_precision,
    chance,
    day_features,
    days_before,
    fails_soon,
    judge_horizon,
    known_days,
)
from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.remaining_life.forest import Forest, forest_of_text
from servitwin.domain.remaining_life.lives import longest_still

TREES, LEAVES = 120, 15
FEWEST_OWN = 10  # failures of a component from which a party's own machines can be learnt from


def learn(events: EventSet, seed: int, incumbent: HorizonModel | None = None) -> HorizonModel:
    """The model of a checked set; ``incumbent`` is judged on the days that it has not learnt from."""
    raw = msgspec.json.encode(msgspec.structs.replace(events, incumbent=""), order="deterministic")
    machines, left_out = usable_machines(events)
    events = msgspec.structs.replace(events, machines=machines)
    known = [known_days(m, events.horizon) for m in machines]
    every = [day_features(m, events.signals, events.errors, events.components, events.facts) for m in machines]
    rows = [one[:n] for one, n in zip(every, known, strict=True)]
    group = np.random.default_rng(seed).permutation(len(machines)) % min(events.folds, len(machines))
    costs = (events.preventive_cost, events.failure_cost)
    forests, threshold, quality = {}, {}, {}
    soon: dict[str, list[Bools]] = {}
    judged: dict[str, list[Judged]] = {}
    for component in events.components:
        soon[component] = [fails_soon(m, component, events.horizon)[:n] for m, n in zip(machines, known, strict=True)]
        forests[component], judged[component] = _over_groups(events, rows, soon[component], group, seed)
        even = [j for j, k in zip(judged[component], group, strict=True) if k % 2 == 0]
        odd = [j for j, k in zip(judged[component], group, strict=True) if k % 2 == 1]
        threshold[component], quality[component] = judge_horizon(even, odd, component, events.horizon, costs, seed)
    model = HorizonModel(
        events.machine_type, events.components, events.signals, events.errors, events.facts, events.horizon, forests,
        threshold, quality, len(machines), "sha256:" + hashlib.sha256(raw).hexdigest(), *_usual(events), left_out,
        *costs, events.currency, _failures(events), _owners(machines),
        {m.id: m.first_day + n if m.first_day else 0 for m, n in zip(machines, known, strict=True)},
        _shares(events, rows),
        {c: _announced(judged[c], c, events.horizon) for c in judged},
        _judge(judged, soon, {c: [np.ones(len(s), np.bool_) for s in soon[c]] for c in soon}),
        _fleet(events, rows, soon, judged, seed),
    )  # fmt: skip
    return model if incumbent is None else _against(model, incumbent, events, judged, soon)


def _announced(judged: list[Judged], component: str, horizon: int) -> list[float]:
    """The largest chance within the horizon before each failure, in order."""
    found = []
    for j in judged:
        for t in j.machine.failed.get(component, []):
            days = days_before(len(j.chance), t, horizon)
            found += [float(j.chance[days].max())] if len(days) and t <= len(j.chance) else []
    return sorted(found)


def _usual(events: EventSet) -> tuple[list[tuple[float, float]], list[int]]:
    """Bounds of each signal's daily mean, and the most days in a row on which it was the same."""
    means = [day_means(m, len(events.signals)) for m in events.machines]
    bounds, still = [], []
    for j in range(len(events.signals)):
        series = [values[~np.isnan(values)] for values in (one[:, j] for one in means)]
        known = [values for values in series if len(values)]
        bounds.append((min(float(v.min()) for v in known), max(float(v.max()) for v in known)) if known else (0.0, 0.0))
        still.append(max((longest_still(v) for v in known), default=0))
    return bounds, still


def _over_groups(
    events: EventSet, rows: list[Floats], soon: list[Bools], group: Int64s, seed: int
) -> tuple[list[Forest], list[Judged]]:
    grown: list[Forest] = []
    judged: dict[int, Judged] = {}
    for k in np.unique(group).tolist():
        learnt = [i for i in range(len(rows)) if group[i] != k]
        one = _grow(np.concatenate([rows[i] for i in learnt]), np.concatenate([soon[i] for i in learnt]), seed + k)
        grown.append(one)
        for i in np.flatnonzero(group == k).tolist():
            judged[i] = Judged(events.machines[i], chance([one], rows[i]))
    return grown, [judged[i] for i in range(len(rows))]


def _grow(rows: Floats, soon: Bools, seed: int) -> Forest:
    import lightgbm  # noqa: PLC0415 - heavy, and only where something is learnt

    settings = {
        "objective": "binary", "learning_rate": 0.06, "num_leaves": LEAVES, "feature_fraction": 0.7, "lambda_l2": 5.0,
        "min_data_in_leaf": 20, "seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1,
        "verbosity": -1,
    }  # fmt: skip
    data = lightgbm.Dataset(rows, soon.astype(np.float64), params={"verbosity": -1})
    return forest_of_text(lightgbm.train(settings, data, num_boost_round=TREES).model_to_string())


def _judge(
    judged: dict[str, list[Judged]], soon: dict[str, list[Bools]], where: dict[str, list[Bools]]
) -> Judgement:  # fmt: skip
    """Of the days ``where``, over the components that failed soon after one of them."""
    areas, base, failures = [], [], 0
    for c, said in judged.items():
        true = np.concatenate([s[w] for s, w in zip(soon[c], where[c], strict=True)])
        if true.any():
            score = np.concatenate([j.chance[w] for j, w in zip(said, where[c], strict=True)])
            areas.append(average_precision(score, true))
            base.append(float(true.mean()))
            failures += sum(_failures_in(j.machine, c, w) for j, w in zip(said, where[c], strict=True))
    return Judgement(float(np.mean(areas)), float(np.mean(base)), failures) if areas else Judgement(0.0, 0.0, 0)


def _failures_in(machine: MachineEvents, component: str, where: Bools) -> int:
    """Failures whose day before them is among ``where``."""
    days = [int(np.ceil(t)) - 2 for t in machine.failed.get(component, [])]
    return sum(0 <= d < len(where) and bool(where[d]) for d in days)


def _against(
    model: HorizonModel, incumbent: HorizonModel, events: EventSet, judged: dict[str, list[Judged]],
    soon: dict[str, list[Bools]],
) -> HorizonModel:  # fmt: skip
    """With what the model in use says of the days that it has not learnt from, where both look at the same."""
    lost = sorted(set(incumbent.components) - set(model.components) - set(events.given_up))
    if lost:
        return msgspec.structs.replace(model, judgement=msgspec.structs.replace(model.judgement, lost=lost))
    if _looks_at(model) != _looks_at(incumbent):
        return model
    common = [c for c in incumbent.components if c in judged]
    known = {m.id: known_days(m, events.horizon) for m in events.machines}
    fresh = [_not_learnt(m, incumbent)[: known[m.id]] for m in events.machines]
    theirs: dict[str, list[Judged]] = {c: [] for c in common}
    for m in events.machines:
        said = incumbent.chances(m)
        for c in common:
            theirs[c].append(Judged(m, said[c][: known[m.id]]))
    where = {c: fresh for c in common}
    mine = _judge({c: judged[c] for c in common}, soon, where)
    other = _judge(theirs, soon, where)
    judgement = msgspec.structs.replace(
        model.judgement, fresh=mine.score, incumbent=other.score, fresh_failures=mine.failures
    )
    return msgspec.structs.replace(model, judgement=judgement)


def _looks_at(model: HorizonModel) -> tuple[object, ...]:
    costs = (model.preventive_cost, model.failure_cost, model.currency)
    return model.signals, model.errors, model.facts, model.horizon, costs


def _not_learnt(machine: MachineEvents, model: HorizonModel) -> Bools:
    """Of each day, whether the model has not learnt from it; where days have no date, whole machines."""
    until = model.until.get(machine.id)
    days = np.arange(len(machine.means))
    if until is None:
        return np.ones(len(days), np.bool_)
    return days + machine.first_day >= until if until and machine.first_day else np.zeros(len(days), np.bool_)


def _failures(events: EventSet) -> dict[str, int]:
    return {c: sum(len(m.failed.get(c, [])) for m in events.machines) for c in events.components}


def _owners(machines: list[MachineEvents]) -> dict[str, int]:
    owners: dict[str, int] = {}
    for m in machines:
        owners[m.owner] = owners.get(m.owner, 0) + 1
    return owners


def _shares(events: EventSet, rows: list[Floats]) -> list[list[float]]:
    """Edges of tenths of each signal's mean of two whole weeks, which is the last of its three columns."""
    every = np.concatenate([one[13:] if len(one) > 13 else one for one in rows])
    tenths = np.quantile(every[:, 2 : 3 * len(events.signals) : 3], np.linspace(0.1, 0.9, 9), axis=0).T
    return [[float(v) for v in row] for row in tenths]


def _fleet(
    events: EventSet, rows: list[Floats], soon: dict[str, list[Bools]], judged: dict[str, list[Judged]], seed: int
) -> dict[str, tuple[float, float]]:
    """What the fleet taught each party that has failures enough to learn alone, on its own machines not learnt from.

    Both figures are of trees that had not seen the machine judged; its own are learnt from half of its machines.
    """
    owner = np.array([m.owner for m in events.machines])
    found: dict[str, tuple[float, float]] = {}
    for party in sorted(set(owner.tolist())):
        own = np.flatnonzero(owner == party).tolist()
        if not party or len(own) == len(owner) or len(own) < 2:
            continue
        areas = []
        for c in events.components:
            halves = own[::2], own[1::2]
            counts = [sum(len(events.machines[i].failed.get(c, [])) for i in half) for half in halves]
            if min(counts) < FEWEST_OWN or not all(np.concatenate([soon[c][i] for i in h]).any() for h in halves):
                continue
            alone: dict[int, Floats] = {}
            for half, rest in (halves, halves[::-1]):
                grown = _grow(np.concatenate([rows[i] for i in half]), np.concatenate([soon[c][i] for i in half]), seed)
                alone |= {i: chance([grown], rows[i]) for i in rest}
            true = np.concatenate([soon[c][i] for i in own])
            said = (np.concatenate([judged[c][i].chance for i in own]), np.concatenate([alone[i] for i in own]))
            areas.append([average_precision(s, true) for s in said])
        if areas:
            fleet, mine = np.mean(areas, 0)
            found[party] = (float(fleet), float(mine))
    return found
