"""Remaining life: C-MAPSS against its floors, failures within a horizon on recorded events, and the speed of a fleet.

Run: ``python benchmarks/remaining_life.py [FD001 ...] [events] [tools] [fleet]``; without words everything.

C-MAPSS (NASA, simulated): models are learnt from the training file alone, and nothing was ever chosen by test labels:
the method was chosen on engines held out of the training files, cut off at random. ``test`` is all test engines at cap
125, where the labels are here. ``across`` is the same error on training engines, each predicted by members that never
saw it; how often intervals hold is measured by ``life_splits.py``. The peer says the mean remaining life of engines
that reached that age.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from servitwin.domain.remaining_life.known import Seen
from servitwin.domain.remaining_life.lives import read_lives
from servitwin.domain.remaining_life.measure import quality
from servitwin.domain.remaining_life.model import LifeModel
from servitwin.domain.remaining_life.predict import predict_many
from servitwin.domain.wear_class import judge_wear
from servitwin.services.maintenance.failure_horizon import plugin as horizon
from servitwin.services.maintenance.remaining_life_training.learn import learn

FOLDER = Path(
    os.environ.get("SERVITWIN_SHARED_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")
)
SETS = ("FD001", "FD002", "FD003", "FD004")
FLOORS = {"FD001": 12.5, "FD002": 14.5, "FD003": 12.5, "FD004": 15.5}
SIGNALS = [f"s{i}" for i in range(1, 22)]
SETTINGS = ["altitude", "mach", "throttle"]
TOOL_SIGNALS = ("X1_OutputCurrent", "Y1_OutputCurrent", "S1_OutputCurrent", "X1_CurrentFeedback", "Y1_CurrentFeedback")
SEED = 1


def table(name: str) -> np.ndarray:
    with gzip.open(FOLDER / "cmapss" / f"{name}.txt.gz", "rt") as file:
        return np.loadtxt(file)


def lives_of(rows: np.ndarray, **more: Any) -> dict[str, Any]:
    """Engines of a file as a set to learn from."""
    machines = [
        {"id": f"engine-{int(e)}", "failed": True, "rows": rows[rows[:, 0] == e][:, 2:].tolist()}
        for e in np.unique(rows[:, 0])
    ]
    whole = {"machine_type": "turbofan", "component": "engine", "settings": SETTINGS, "signals": SIGNALS}
    return {**whole, "machines": machines, "keep_out": False, **more}


def cmapss(name: str) -> LifeModel:
    lives = read_lives(lives_of(table(f"train_{name}")))
    begin = time.perf_counter()
    model = learn(lives, SEED)
    took = time.perf_counter() - begin
    across, simple = model.quality, model.simple
    error, score = tested(name, model)
    print(
        f"| {name} | {error} | {FLOORS[name]} | {score} | {across.rmse:.2f} | {simple.rmse:.2f} "
        f"| {across.rmse / simple.rmse:.2f} | {took:.0f} |",
        flush=True,
    )
    return model


def tested(name: str, model: LifeModel) -> tuple[str, str]:
    labels = FOLDER / "cmapss" / f"RUL_{name}.txt"
    if not labels.exists():
        return "labels kept for acceptance", "-"
    rows = table(f"test_{name}")
    start = np.concatenate([[0], np.flatnonzero(np.diff(rows[:, 0])) + 1])
    last = np.append(start[1:], len(rows)) - 1
    predicted = model.predict(model.features_of(rows[:, 2:5], rows[:, 5:], start, only=last))
    true = np.minimum(np.loadtxt(labels), model.cap)
    low, high = model.calibration.interval(predicted, model.confidence, model.cap)
    found = quality(len(true), predicted, low, high, true)
    return f"{found.rmse:.2f} ({found.coverage:.0%} within)", f"{found.score:.0f}"


def events() -> None:
    """Failures of components within two days, machines kept whole."""
    found = horizon.describe(horizon.fit(azure(), 1))["models"]["pdm"]
    print(
        "\n| component | failures | area (chance) | precision | recall "
        "| cost a day (90 % interval) | by age | at failure |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, q in found["components"].items():
        low, high = q["cost_range"]
        print(
            f"| {name} | {q['failures']} | {q['average_precision']:.2f} ({q['base']:.3f}) | {q['precision']:.0%} "
            f"| {q['recall']:.0%} | {q['cost']:.4f} ({low:.4f} to {high:.4f}) "
            f"| {q['by_age']:.4f} | {q['at_failure']:.4f} |"
        )


def azure() -> dict[str, Any]:
    """The recorded events and daily means as a set; day 0 is the first day of 2015."""
    folder = FOLDER / "azure_pdm"
    zero = np.datetime64("2015-01-01T00:00:00")

    def rows(name: str) -> list[list[str]]:
        return [line.split(",") for line in (folder / name).read_text("utf-8").splitlines()[1:]]

    def day(text: str) -> float:
        return round(float((np.datetime64(text.replace(" ", "T")) - zero) / np.timedelta64(86400, "s")), 4)

    machines: dict[str, dict[str, Any]] = {
        r[0]: {
            "id": r[0], "means": [], "errors": {}, "replaced": {}, "failed": {},
            "facts": {"age": float(r[2]), **{f"model{k}": float(r[1] == f"model{k}") for k in (1, 2, 3, 4)}},
        }
        for r in rows("PdM_machines.csv")
    }  # fmt: skip
    with gzip.open(folder / "PdM_telemetry_daily_mean.csv.gz", "rt", encoding="utf-8") as file:
        for line in file.read().splitlines()[1:]:
            r = line.split(",")
            machines[r[0]]["means"].append([float(v) for v in r[2:6]])
    for name, kind in (("PdM_errors.csv", "errors"), ("PdM_maint.csv", "replaced"), ("PdM_failures.csv", "failed")):
        for r in rows(name):
            machines[r[1]][kind].setdefault(r[2], []).append(day(r[0]))
    known = [m for m in machines.values() if m["failed"] or m["replaced"]]
    return {
        "machine_type": "pdm", "components": [f"comp{k}" for k in (1, 2, 3, 4)],
        "signals": ["volt", "rotate", "pressure", "vibration"], "errors": [f"error{k}" for k in (1, 2, 3, 4, 5)],
        "facts": ["age", "model1", "model2", "model3", "model4"], "machines": [m for m in known if m["means"]],
        "horizon": 2, "preventive_cost": 1.0, "failure_cost": 5.0,
    }  # fmt: skip


def tools() -> None:
    """Wear class of each recorded experiment from the others; a class that is possible is no answer, one alone is."""
    with (FOLDER / "cnc_mill_wear" / "train.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    signals, given = [], []
    for one in told:
        with gzip.open(FOLDER / "cnc_mill_wear" / f"experiment_{int(one['No']):02d}.csv.gz", "rt") as file:
            rows = [r for r in csv.DictReader(file) if r["Machining_Process"].startswith("Layer")]
        signals.append([np.mean([abs(float(r[c])) for r in rows]) for c in TOOL_SIGNALS])
        given.append([float(one["feedrate"]), float(one["clamp_pressure"])])
    worn, x, g = np.array([o["tool_condition"] == "worn" for o in told]), np.array(signals), np.array(given)
    found = judge_wear(x, worn, g)
    print(
        f"\nTool wear (12 whole experiments, 80 % confidence): true class possible in {found.held} of {found.tools}; "
        f"one class named for {found.sure}, rightly for {found.right}; else not known"
    )


def fleet(model: LifeModel) -> None:
    """Scoring 10 000 machines at once: doubts, prediction and interval of each; then the reasons of the worst."""
    rows = table("test_FD001")
    engines = [rows[rows[:, 0] == e][:, 2:] for e in np.unique(rows[:, 0])]
    every = [engines[k % len(engines)] for k in range(10_000)]
    seen = [Seen(one[:, :3], one[:, 3:], "turbofan") for one in every]
    begin = time.perf_counter()
    said = predict_many(model, seen)
    took = time.perf_counter() - begin
    worst = sorted((p.low, k) for k, p in enumerate(said) if p.low is not None)[:100]
    begin = time.perf_counter()
    predict_many(model, [seen[k] for _, k in worst], why=True)
    print(
        f"\nFleet: 10 000 machines in {took:.1f} s (floor 60, aim 10), {sum(not p.known for p in said)} not known; ",
        end="",
    )
    print(f"reasons of the 100 most urgent in {time.perf_counter() - begin:.1f} s more")


def main() -> None:
    wanted = sys.argv[1:] or [*SETS, "events", "tools", "fleet"]
    model = None
    if any(name in SETS for name in wanted):
        print("| set | RMSE test | floor | score | across | by age | ratio | training s |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in (n for n in SETS if n in wanted):
        learnt = cmapss(name)
        model = learnt if name == "FD001" else model
    if "events" in wanted:
        events()
    if "tools" in wanted:
        tools()
    if "fleet" in wanted:
        fleet(model or learn(read_lives(lives_of(table("train_FD001"))), 1))


if __name__ == "__main__":
    main()
