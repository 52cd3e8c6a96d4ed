"""Service failure_horizon: learns from events and daily means which component fails within the coming days."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_events import EventSet, day_means, read_events, usable_machines
from servitwin.domain.failure_horizon import (
    HorizonModel,
    Judged,
    chance,
    day_features,
    fails_soon,
    judge_horizon,
    read_horizon_model,
)
from servitwin.domain.observation import Bools, Floats
from servitwin.domain.remaining_life.forest import Forest, forest_of_text
from servitwin.domain.remaining_life.lives import longest_still

TREES, LEAVES = 120, 15


def check(dataset: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a set of events (:class:`servitwin.domain.failure_horizon.EventSet`)."""
    try:
        usable_machines(read_events(dataset))
    except InvalidInputError as e:
        return e.faults
    return []


def fit(dataset: Mapping[str, Any], seed: int) -> bytes:
    """A model of each component, judged on machines that each part of it had not seen."""
    events = read_events(dataset)
    digest = "sha256:" + hashlib.sha256(msgspec.json.encode(events, order="deterministic")).hexdigest()
    machines, left_out = usable_machines(events)
    events = msgspec.structs.replace(events, machines=machines)
    rows = [day_features(m, events.signals, events.errors, events.components, events.facts) for m in machines]
    group = np.random.default_rng(seed).permutation(len(machines)) % events.folds
    costs = (events.preventive_cost, events.failure_cost)
    forests, threshold, quality = {}, {}, {}
    for component in events.components:
        soon = [fails_soon(m, component, events.horizon) for m in machines]
        grown, judged = _over_groups(events, rows, soon, group, seed)
        forests[component] = grown
        even = [j for j, k in zip(judged, group, strict=True) if k % 2 == 0]
        odd = [j for j, k in zip(judged, group, strict=True) if k % 2 == 1]
        threshold[component], quality[component] = judge_horizon(even, odd, component, events.horizon, costs, seed)
    model = HorizonModel(
        events.machine_type, events.components, events.signals, events.errors, events.facts, events.horizon, forests,
        threshold, quality, len(machines), digest, *_usual(events), left_out,
        events.preventive_cost, events.currency,
    )  # fmt: skip
    return msgspec.msgpack.encode(model)


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


def describe(artefact: bytes) -> dict[str, Any]:
    """What it was trained on, and how good it is: mean area under precision and recall over the components."""
    model = read_horizon_model(artefact)
    return {
        "score": float(np.mean([q.average_precision for q in model.quality.values()])),
        "machine_type": model.machine_type,
        "horizon_days": model.horizon,
        "machines": model.machines,
        "dataset": model.dataset,
        "left_out": msgspec.to_builtins(model.left_out),
        "currency": model.currency,
        "threshold": model.threshold,
        "components": msgspec.to_builtins(model.quality),
    }


def _over_groups(
    events: EventSet, rows: list[Floats], soon: list[Bools], group: Any, seed: int
) -> tuple[list[Forest], list[Judged]]:
    grown: list[Forest] = []
    judged: dict[int, Judged] = {}
    for k in range(events.folds):
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
