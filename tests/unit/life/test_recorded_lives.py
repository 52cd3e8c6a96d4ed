"""Quick models on recorded lives: engines of C-MAPSS by a part of the training file, components of the Azure sample."""

import gzip
import sys
from itertools import takewhile
from typing import Any

import numpy as np
import pytest

from servitwin.domain.remaining_life.known import Seen, doubts
from servitwin.domain.remaining_life.lives import read_lives
from servitwin.domain.remaining_life.model import read_book
from servitwin.domain.remaining_life.moments import moments, stack
from servitwin.services.maintenance.failure_horizon import plugin as horizon
from servitwin.services.maintenance.remaining_life_training.learn import judge
from tests.conftest import ROOT, shared_data
from tests.unit.life.quick import trained


def engines(name: str, first: int, last: int) -> dict[str, Any]:
    with gzip.open(shared_data("cmapss") / f"{name}.txt.gz", "rt") as file:
        upto = takewhile(lambda line: int(line.split(None, 1)[0]) <= last, file)  # engines come in order
        rows = np.loadtxt(line for line in upto if int(line.split(None, 1)[0]) >= first)
    return {
        "machine_type": "turbofan", "component": "engine", "settings": ["altitude", "mach", "throttle"],
        "signals": [f"s{i}" for i in range(1, 22)], "keep_out": False, "folds": 2,
        "machines": [
            {"id": f"engine-{int(e)}", "failed": True, "rows": rows[rows[:, 0] == e][:, 2:].tolist()}
            for e in np.unique(rows[:, 0])
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("name", "regimes", "most"), [("train_FD001", 1, 17.0), ("train_FD004", 6, 24.0)])
def test_engines_not_seen_are_told_within_their_intervals(name: str, regimes: int, most: float) -> None:
    learnt = engines(name, 1, 40)
    model = read_book(trained(learnt)).models["turbofan/engine"]
    assert len(model.regimes.centres) == regimes
    assert model.trained_on.left_out == []
    fresh = read_lives(engines(name, 41, 60))
    found = judge(model, stack(fresh.lives), moments(stack(fresh.lives), 10, np.random.default_rng(1)))
    assert found.rmse < most < 0.8 * model.simple.rmse
    assert found.coverage > 0.75 and found.near_end is not None and found.near_end > 0.7
    known = [doubts(model, Seen(life.settings, life.signals, "turbofan")) for life in fresh.lives]
    assert sum(bool(d) for d in known) <= 2


def test_a_component_that_announces_its_failure_is_told_in_time() -> None:
    shared_data("azure_pdm")  # skips where it is not
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from remaining_life import azure  # how the benchmark reads it

    whole = azure()
    some = {**whole, "machines": whole["machines"][:30], "components": ["comp2"], "folds": 2}
    for m in some["machines"]:
        m["replaced"] = {"comp2": m["replaced"].get("comp2", [])}
        m["failed"] = {"comp2": m["failed"].get("comp2", [])}
    (found,) = horizon.describe(horizon.fit(some, 1))["models"]["pdm"]["components"].values()
    assert found["average_precision"] > 0.6 and found["base"] < 0.05
    assert found["cost"] < found["by_age"] <= found["at_failure"] * 1.2
